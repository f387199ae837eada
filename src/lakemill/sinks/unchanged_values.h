#pragma once

#include <string>
#include <string_view>

#include "lakemill/sinks/change_columns.h"
#include "lakemill/sinks/scratch.h"
#include "lakemill/sinks/table_sink.h"

namespace lakemill::sinks {

/// The column that lists, by name, values that a change did not send because they stay
/// as they were. Source: language.md, section 7.
inline constexpr std::string_view kUnchanged = "_unchanged";

/// The staged rows with those values put in: those of the key's change before it in the
/// batch, else of its row in the target. Right for changes that come in their order, as
/// a source that leaves values out gives them. Gives `staged` where no row lists any.
/// `staged` and `target` (empty: there is none) are names ready to stand in SQL.
Result<std::string> put_unchanged_values(Scratch& scratch, const std::string& staged,
                                         const data::Schema& schema,
                                         const ChangeColumns& columns,
                                         const ChangeOptions& options,
                                         const std::string& target);

}  // namespace lakemill::sinks
