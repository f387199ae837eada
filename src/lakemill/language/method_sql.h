#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/data/type.h"
#include "lakemill/language/expression_sql.h"
#include "lakemill/language/model.h"

// Dataframe methods (Narwhals' and Laktory's) as SQL: each is one SELECT over its
// frame.
//
// Rows have no order: `unique` with keep="any" keeps the row that sorts first by its
// other columns, so that a batch can be made again; keep="first" and "last",
// `with_row_index` and window functions need order_by; `sample` picks by a hash of rows
// and seed. `head`, `tail` and `limit` take rows as the frame gives them, so they mean
// something after `sort` only.

namespace lakemill::language {

/// A relation that methods read.
struct Frame {
  std::string relation;  ///< as SQL names it: quoted, or a subquery in brackets
  data::Schema schema;
  bool is_open = false;  ///< its columns are not known: any may be there
};

/// Finds a frame by its reference without braces: "nodes.x", "sources.x".
/// Errors: not_found, with what there is.
using FrameResolver = std::function<Result<Frame>(std::string_view reference)>;

/// One SELECT statement. Errors: invalid, with file:line:column of the argument, and
/// within an expression its column.
Result<std::string> compile_method(const MethodCall& call, const Frame& input,
                                   const FrameResolver& frames, Dialect dialect);

/// A fault of a method call, and where.
struct MethodFault {
  Location location;
  std::string message;
};

/// All that is wrong with a call whatever the columns of its frames are. Texts with
/// `${`, which only a run resolves, are passed over.
std::vector<MethodFault> check_method(const MethodCall& call);

/// True if `next` continues `call`: `group_by` and then `agg`.
bool continues_method(const MethodCall& call, const MethodCall& next);

/// `group_by` and the `agg` after it as one call.
MethodCall fuse_methods(const MethodCall& call, const MethodCall& next);

/// The steps with each `group_by` and the `agg` behind it made one.
std::vector<Step> fused_steps(const std::vector<Step>& steps);

/// References to frames ("nodes.x", "sources.x", "df") in the arguments, in order.
std::vector<std::string> frame_references(const MethodCall& call);

/// One line of the reference.
struct MethodDescription {
  std::string_view name;
  std::string_view signature;
  std::string_view summary;
};

std::vector<MethodDescription> method_descriptions();
bool is_known_method(std::string_view name);
std::vector<std::string> known_methods();

}  // namespace lakemill::language
