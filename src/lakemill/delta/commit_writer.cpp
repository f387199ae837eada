#include "lakemill/delta/commit_writer.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "lakemill/delta/log_segment.h"

namespace lakemill::delta {

namespace {

constexpr int kPutAttemptsMax = 5;
constexpr int kReadAttemptsMax = 3;
constexpr int kBackOffMsMax = 20;

// Whose the version is. Errors are no answer: whoever asks cannot rule out that it is
// ours.
PutOutcome read_winner(storage::ObjectStore& store, Version version,
                       std::string_view bytes, Random& random) {
  for (int attempt = 1; attempt <= kReadAttemptsMax; ++attempt) {
    auto found = store.get(commit_path(version));
    if (found) return *found == bytes ? PutOutcome::ours : PutOutcome::theirs;
    if (found.error().code() != ErrorCode::unavailable) break;
    back_off(attempt, random);
  }
  return PutOutcome::undecided;
}

}  // namespace

void back_off(int attempt, Random& random) {
  const auto limit =
      static_cast<std::uint64_t>(std::min(attempt, kBackOffMsMax)) * 1000 + 1;
  std::this_thread::sleep_for(
      std::chrono::microseconds(static_cast<std::int64_t>(random.next() % limit)));
}

Result<PutOutcome> put_commit(storage::ObjectStore& store, Version version,
                              std::string_view bytes, Random& random) {
  bool sent = false;  // an earlier try may have been acted on
  Status put;
  for (int attempt = 1; attempt <= kPutAttemptsMax; ++attempt) {
    put = store.put_if_absent(commit_path(version), bytes);
    if (put) return PutOutcome::ours;
    const ErrorCode code = put.error().code();
    if (code == ErrorCode::exists) return read_winner(store, version, bytes, random);
    if (code != ErrorCode::unknown && code != ErrorCode::unavailable) break;
    sent = sent || code == ErrorCode::unknown;
    back_off(attempt, random);
  }
  if (sent) return read_winner(store, version, bytes, random);
  return std::move(put).error().while_doing("write " + commit_path(version));
}

}  // namespace lakemill::delta
