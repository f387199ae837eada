#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"
#include "lakemill/base/random.h"
#include "lakemill/base/result.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::access {

/// What everything here works with. All three are borrowed, outlive who has it, and
/// allow concurrent calls.
struct AccessContext {
  storage::ObjectStore& store;  ///< its root is the project's
  Clock& clock;
  Random& random;  ///< secrets are made of it: an EntropyRandom, but in tests
};

/// So much later, at most, counts what another process changed.
constexpr std::chrono::seconds kAgeMax{5};
/// How many of a kind (accounts, tokens, sessions) a process remembers.
constexpr std::size_t kRememberedMax = 10'000;
/// By how much clocks of processes may differ. What began later than that has not
/// begun: a clock that was set back lengthens nothing by more.
constexpr std::chrono::minutes kClockSkewMax{5};

/// "_lakemill/access/" and `path`.
std::string access_path(std::string_view path);
/// "users/ann" and 3: "users/ann/000000000003.json".
std::string numbered_path(std::string_view folder, std::int64_t number);
/// The number of such a path; nothing for others.
std::optional<std::int64_t> number_of_path(std::string_view path);

/// The greatest number below the folder; 0 for none. Errors: those of the store.
Result<std::int64_t> newest_number(storage::ObjectStore& store,
                                   std::string_view folder);

/// Writes an object once and settles answers that were lost; `json` must hold something
/// random, by which the own object is known. Errors: exists (another's stands there),
/// unknown (look again later), denied, unavailable.
Status put_once(storage::ObjectStore& store, const std::string& path, const Json& json);

/// Reads a JSON object; nothing where there is none. Errors: corrupt, which tells the
/// path and nothing of what stands there; those of the store.
Result<std::optional<Json>> find_json(storage::ObjectStore& store,
                                      const std::string& path);

/// "…/tokens/x.json is damaged: …".
Error corrupt_object(const storage::ObjectStore& store, std::string_view path,
                     std::string_view why);

/// A member that format_instant() wrote.
std::optional<Instant> instant_member(const Json& json, std::string_view key);

}  // namespace lakemill::access
