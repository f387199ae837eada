#pragma once

#include <set>
#include <string>
#include <vector>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/file_reader.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// The files that pipelines are made of.
struct OwnFiles {
  std::set<std::string> files;
  std::vector<std::string> patterns;  ///< where others are read
};

/// Tells of sinks that would destroy something: the place of another node's sink or
/// something in its table's folder, files of their own sources, the folder that the
/// pipeline is in, `own` files, Lakemill's own state; and of modes that cannot be kept
/// beside other sinks. Places are those that link_written_tables() filled in; `reader`
/// tells which of them are one.
void check_targets(const Pipeline& pipeline, const OwnFiles& own, FileReader& reader,
                   Diagnostics& diagnostics);

}  // namespace lakemill::language
