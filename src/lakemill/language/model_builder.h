#pragma once

#include <span>
#include <string>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/fields.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/model.h"
#include "lakemill/language/tree.h"

// From trees whose shape was checked (shape_check.h) to the model. What goes together
// and what does not is checked here; graph and names across nodes in pipeline_check.h.

namespace lakemill::language {

/// What an object inherits, and where faults are told.
struct BuildContext {
  Diagnostics& diagnostics;
  DataframeApi api = DataframeApi::narwhals;
  Backend backend = Backend::unset;
  bool spark_is_named = false;   ///< the project names a Spark remote
  FileReader* reader = nullptr;  ///< gives files again for places; may be null
  /// The types of events there are; empty: they are not known here, and none is
  /// refused.
  std::span<const std::string> event_types = {};
};

/// Refuses a `name` that cannot be one of a folder, as those of pipelines and nodes
/// are: their state is kept below it.
void check_folder_name(const Fields& fields, const std::string& path,
                       BuildContext& context);

Source build_source(const Tree& tree, const std::string& path, BuildContext& context);
Sink build_sink(const Tree& tree, const std::string& path, const Fields& node,
                BuildContext& context);
Expectation build_expectation(const Tree& tree, const std::string& path,
                              BuildContext& context);
Node build_node(const Tree& tree, const std::string& path, BuildContext& context);
Pipeline build_pipeline(const Tree& root, BuildContext& context);
Project build_project(const Tree& root, BuildContext& context);

/// The table that `catalog_name`, `schema_name` and `table_name` name.
TableName build_table_name(const Fields& fields, const std::string& path,
                           BuildContext& context);
/// The table of a name with dots.
TableName split_table_name(const std::string& text, const Location& location,
                           const std::string& path, BuildContext& context);
/// The format that is written, else what the path's ending tells, else Delta.
FileFormat build_format(const Fields& fields);
std::vector<MethodCall> build_methods(const Fields& fields, std::string_view key,
                                      DataframeApi api);
EngineOptions build_engine(const Tree* tree);
Backend build_backend(const Fields& fields, Backend inherited);
DataframeApi build_api(const Fields& fields, DataframeApi inherited);

}  // namespace lakemill::language
