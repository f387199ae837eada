#pragma once

#include <string>
#include <string_view>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/keys.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

/// Holds a mapping to the table of keys, and everything in it: unknown keys, types,
/// choices, missing keys, what is known and not supported yet. What is wrong is told
/// and marked broken, so that nobody says more about it. `path` names the mapping: ""
/// at the top, "nodes[2].sinks[0]".
void check_shape(Tree& mapping, const ObjectSpec& object, const std::string& path,
                 Diagnostics& diagnostics);

/// The kind of a source or sink, in the words of `type`: as written or told by its
/// keys; empty when nothing tells it.
std::string kind_of(const Tree& mapping, std::string_view object);

/// "" for a path that this version can reach; else the scheme ("gs") that it cannot.
std::string remote_scheme(std::string_view path);

/// What to write instead of such a path.
inline constexpr std::string_view kReachable =
    "use a folder of this machine, or s3://bucket/folder";

/// " at nodes[1]", or " at the top level".
std::string at_path(const std::string& path);

/// "nodes[1].name".
std::string below(const std::string& path, std::string_view key);

}  // namespace lakemill::language
