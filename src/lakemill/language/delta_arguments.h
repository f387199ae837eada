#pragma once

#include <string>

#include "lakemill/language/model_builder.h"

// `reader_kwargs` and `writer_kwargs` of Delta tables, as Delta for Spark and delta-rs
// name them: those that mean what a key of ours means are taken as that key, others are
// told to have no effect.

namespace lakemill::language {

/// Takes the options of a source that reads a Delta table into its keys. Tells of
/// options that contradict a key, have a wrong value, or have no effect.
void take_reader_arguments(const Fields& fields, const std::string& path,
                           Source& source, BuildContext& context);

/// The same of a sink that writes a Delta table. Errors, too, for options that would
/// let rows stay which the sink replaces.
void take_writer_arguments(const Fields& fields, const std::string& path, Sink& sink,
                           BuildContext& context);

}  // namespace lakemill::language
