#include "lakemill/delta/commit_times.h"

#include <algorithm>
#include <charconv>

#include "lakemill/delta/protocol.h"

namespace lakemill::delta {

namespace {

std::int64_t integer_setting(const Metadata& metadata, const std::string& key,
                             std::int64_t fallback) {
  const auto found = metadata.configuration.find(key);
  if (found == metadata.configuration.end()) return fallback;
  std::int64_t value = 0;
  const std::string& text = found->second;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() ? value : fallback;
}

}  // namespace

InCommitTimestamps in_commit_timestamps(const Protocol& protocol,
                                        const Metadata& metadata) {
  InCommitTimestamps result;
  result.enabled = in_commit_timestamps_enabled(protocol, metadata) ||
                   (has_feature(protocol, "inCommitTimestamp-preview") &&
                    property_is_true(metadata, "delta.enableInCommitTimestamps"));
  if (!result.enabled) return result;
  result.since = integer_setting(metadata, "delta.inCommitTimestampEnablementVersion",
                                 result.since);
  result.since_ms = integer_setting(
      metadata, "delta.inCommitTimestampEnablementTimestamp", result.since_ms);
  return result;
}

std::vector<std::int64_t> monotone_times(const std::vector<CommitFile>& commits) {
  std::vector<std::int64_t> times;
  times.reserve(commits.size());
  for (const CommitFile& commit : commits) {
    const std::int64_t own = commit.info.modified_ms;
    times.push_back(times.empty() ? own : std::max(own, times.back() + 1));
  }
  return times;
}

}  // namespace lakemill::delta
