#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lakemill/delta/action.h"

namespace lakemill::delta {

/// Errors: unsupported, naming every reader feature of the table that is not
/// implemented.
Status check_readable(const Protocol& protocol);

/// Whether rows may be added to a table. Includes check_readable().
/// Errors: unsupported, naming every feature that is not implemented, and every column
/// and property that asks for a rule which writers must keep and we do not evaluate
/// (constraints, generated and identity columns, defaults).
Status check_writable(const Protocol& protocol, const Metadata& metadata);

/// Whether a reader must respect `feature`: it is listed, or the reader version implies
/// it (columnMapping from version 2).
bool has_reader_feature(const Protocol& protocol, std::string_view feature);

/// True if readers or writers of the table must respect `feature`; versions before the
/// lists of features imply some. Source: PROTOCOL.md, "Table Features".
bool has_feature(const Protocol& protocol, std::string_view feature);

/// The protocol that a table with `metadata` needs: the lowest for a new table (no
/// `current`), else `current` with what it lacks.
/// Errors: unsupported, naming what `metadata` needs and we cannot write.
Result<Protocol> protocol_for(const Metadata& metadata,
                              const std::optional<Protocol>& current);
/// The same with `further` features, which must be known ones.
Result<Protocol> protocol_for(const Metadata& metadata,
                              const std::optional<Protocol>& current,
                              const std::set<std::string>& further);

/// A property that is "true", ignoring case.
bool property_is_true(const Metadata& metadata, std::string_view name);

/// A feature that the protocol names and a property switches on.
bool append_only(const Protocol& protocol, const Metadata& metadata);
bool change_data_feed_enabled(const Protocol& protocol, const Metadata& metadata);
bool deletion_vectors_enabled(const Protocol& protocol, const Metadata& metadata);
bool in_commit_timestamps_enabled(const Protocol& protocol, const Metadata& metadata);

/// "none", "name" or "id"; "none" where the protocol has no column mapping.
std::string column_mapping_mode(const Protocol& protocol, const Metadata& metadata);

}  // namespace lakemill::delta
