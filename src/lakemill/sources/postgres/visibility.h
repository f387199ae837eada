#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lakemill/base/json.h"
#include "lakemill/base/result.h"
#include "lakemill/sources/postgres/pgoutput.h"

namespace lakemill::sources::postgres {

/// What a snapshot sees: transactions that it holds already come again in the stream of
/// a slot that is older, and must be left out there.
struct Visibility {
  std::uint64_t xmin = 0;              ///< every transaction before it has ended
  std::uint64_t xmax = 0;              ///< none from it on is seen
  std::vector<std::uint64_t> running;  ///< of those between, the ones not seen; sorted
  /// A position after the snapshot: no transaction that commits behind it is seen.
  Lsn horizon = 0;

  /// True if the snapshot holds what `transaction`, committed at `commit_lsn`, did.
  bool sees(TransactionId transaction, Lsn commit_lsn) const;
};

/// Reads "xmin:xmax:xip,xip". Errors: corrupt.
Result<Visibility> parse_snapshot(std::string_view text);

Json to_json(const Visibility& visibility);
Result<Visibility> visibility_from_json(const Json& json);

}  // namespace lakemill::sources::postgres
