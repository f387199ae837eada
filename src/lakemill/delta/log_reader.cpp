#include "lakemill/delta/log_reader.h"

#include <algorithm>

#include "lakemill/delta/file_path.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/storage/find_object.h"
#include "lakemill/storage/read_ahead.h"

namespace lakemill::delta {

namespace {

std::string version_text(Version version) {
  return "version " + std::to_string(version);
}

// A checkpoint that fails like this may be replaced by an older one; if the store does
// not answer, another one would not help.
bool may_fall_back(const Error& error) {
  return error.code() == ErrorCode::not_found || error.code() == ErrorCode::corrupt ||
         error.code() == ErrorCode::invalid;
}

// A name in _delta_log/_sidecars, or a path below the root; absolute ones end the same.
std::string sidecar_path(const Sidecar& sidecar) {
  const std::string path = decoded_path(sidecar.path);
  const std::size_t slash = path.rfind('/');
  return "_delta_log/_sidecars/" +
         (slash == std::string::npos ? path : path.substr(slash + 1));
}

Error outside_of_log(const LogListing& listing, Version wanted) {
  const Version oldest = listing.oldest().value_or(listing.newest());
  return {ErrorCode::not_found,
          "there is no " + version_text(wanted) + "; the log holds versions " +
              std::to_string(oldest) + " to " + std::to_string(listing.newest())};
}

// A log that newer or managed tables keep elsewhere cannot be replayed at all; other
// features matter only to those who read rows.
Status check_log_readable(const Protocol& protocol) {
  const bool managed = has_reader_feature(protocol, "catalogManaged") ||
                       has_reader_feature(protocol, "catalogOwned-preview");
  const bool known =
      protocol.min_reader_version >= 1 && protocol.min_reader_version <= 3;
  if (known && !managed) return {};
  return check_readable(protocol);
}

}  // namespace

Result<TableState> LogReader::build(const LogListing& listing,
                                    std::optional<Version> wanted) {
  const Version version = wanted.value_or(listing.newest());
  if (version > listing.newest() || version < 0 ||
      version < listing.oldest().value_or(version)) {
    return outside_of_log(listing, version);
  }
  std::optional<Error> fault;
  for (auto checkpoint = listing.checkpoints.rbegin();
       checkpoint != listing.checkpoints.rend(); ++checkpoint) {
    if (checkpoint->version > version) continue;
    LAKEMILL_TRY(const LogSegment segment,
                 make_segment(listing, version, &*checkpoint));
    Replay replay;
    Status read = replay_checkpoint(*checkpoint, replay);
    // What a readable checkpoint says is final, even if it is wrong.
    if (read) return build_on(std::move(replay), segment);
    Error error = std::move(read).error().while_doing(
        "the checkpoint of " + version_text(checkpoint->version));
    if (!may_fall_back(error)) return error;
    if (!fault) fault = std::move(error);
  }
  const Result<LogSegment> segment = make_segment(listing, version, nullptr);
  if (segment) return build_on(Replay(), *segment);
  if (fault) return std::move(*fault);
  return segment.error();
}

Result<TableState> LogReader::build_on(Replay replay, const LogSegment& segment) {
  std::vector<std::string> paths;
  for (const CommitFile& commit : segment.commits) {
    paths.push_back(commit_path(commit.version));
  }
  storage::ReadAhead reads(store_, std::move(paths));
  for (const CommitFile& commit : segment.commits) {
    LAKEMILL_TRY_OK(replay_commit(commit.version, reads.next(), replay));
  }
  Result<TableState> state = std::move(replay).finish(segment.version);
  if (!state)
    return std::move(state).error().while_doing(version_text(segment.version));
  LAKEMILL_TRY_OK(check_log_readable(*state->protocol));
  return state;
}

Result<TableState> LogReader::advance(const TableState& base,
                                      const std::vector<CommitFile>& commits) {
  const Version version = commits.empty() ? base.version : commits.back().version;
  return build_on(Replay(base), {version, nullptr, commits});
}

Status LogReader::replay_commit(Version version, Result<std::string> text,
                                Replay& replay) {
  const std::string path = commit_path(version);
  if (!text) return std::move(text).error();
  Status status = for_each_action(
      *text, [&](Action action) { replay.apply(std::move(action), version); });
  if (!status) {
    return std::move(status).error().while_doing(version_text(version) + " (" + path +
                                                 ")");
  }
  return {};
}

Status LogReader::replay_checkpoint(const CheckpointFiles& checkpoint, Replay& replay) {
  std::vector<std::string> sidecars;
  for (const storage::ObjectInfo& part : checkpoint.parts) {
    LAKEMILL_TRY_OK(replay_part(part.path, replay, &sidecars));
  }
  for (const std::string& path : sidecars) {
    LAKEMILL_TRY_OK(replay_part(path, replay, nullptr));
  }
  return {};
}

Status LogReader::replay_part(std::string_view path, Replay& replay,
                              std::vector<std::string>* sidecars) {
  Result<std::string> text = path.ends_with(".json")
                                 ? store_.get(path)
                                 : format_.read(file_url(store_.url(), path));
  if (!text) return std::move(text).error().while_doing(path);
  Status status = for_each_action(*text, [&](Action action) {
    const auto* sidecar = std::get_if<Sidecar>(&action);
    if (sidecar != nullptr && sidecars != nullptr) {
      sidecars->push_back(sidecar_path(*sidecar));
    }
    replay.apply(std::move(action), -1);
  });
  if (!status) return std::move(status).error().while_doing(path);
  return {};
}

Result<std::vector<Action>> LogReader::read_commit(Version version) {
  const std::string path = commit_path(version);
  LAKEMILL_TRY(const auto text, storage::find_object(store_, path));
  if (!text) {
    return Error(ErrorCode::not_found,
                 version_text(version) + " is not in the log (any more): " + path);
  }
  std::vector<Action> actions;
  Status status = for_each_action(
      *text, [&](Action action) { actions.push_back(std::move(action)); });
  if (!status) {
    return std::move(status).error().while_doing(version_text(version) + " (" + path +
                                                 ")");
  }
  return actions;
}

Result<Json> LogReader::read_commit_info(Version version) {
  LAKEMILL_TRY(const std::string text, store_.get(commit_path(version)));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.substr(0, 40).find("\"commitInfo\"") == std::string_view::npos) continue;
    Result<std::optional<Action>> action = action_from_line(line);
    if (!action) return std::move(action).error().while_doing(version_text(version));
    if (!*action) continue;
    if (auto* info = std::get_if<CommitInfo>(&**action))
      return std::move(info->content);
  }
  return Json::object();
}

}  // namespace lakemill::delta
