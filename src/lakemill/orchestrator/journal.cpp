#include "lakemill/orchestrator/journal.h"

#include <cstdio>

#include "lakemill/storage/find_object.h"

namespace lakemill::orchestrator {

namespace {

constexpr const char* kEntry = ".json";
constexpr const char* kState = ".state.json";
constexpr const char* kNewest = "newest.json";

bool may_stand(const Error& error) {
  return error.code() == ErrorCode::exists || error.code() == ErrorCode::unknown;
}

}  // namespace

Journal::Journal(storage::ObjectStore& store, std::string folder, std::string member,
                 Random& random)
    : store_(store),
      folder_(std::move(folder)),
      member_(std::move(member)),
      random_(random) {}

Result<std::unique_ptr<Journal>> Journal::open(storage::ObjectStore& store,
                                               std::string folder, std::string member,
                                               Random& random) {
  std::unique_ptr<Journal> journal(
      new Journal(store, std::move(folder), std::move(member), random));
  LAKEMILL_TRY_OK(journal->read_state());
  LAKEMILL_TRY_OK(journal->catch_up({}));
  return journal;
}

Status Journal::read_state() {
  LAKEMILL_TRY(const auto newest,
               storage::find_object(store_, folder_ + "/" + kNewest));
  if (!newest) return {};
  LAKEMILL_TRY(const Json hint, parse_json(*newest));
  LAKEMILL_TRY(const std::string text,
               store_.get(path_of(integer_member(hint, "state", 0), kState)));
  LAKEMILL_TRY(const Json json, parse_json(text));
  LAKEMILL_TRY(state_, state_from_json(json));
  return {};
}

Status Journal::catch_up(const Follower& follower) {
  while (true) {
    LAKEMILL_TRY(const auto entry, read(state_.entries + 1));
    if (!entry) return {};
    follow(*entry, follower);
  }
}

Result<std::optional<JournalEntry>> Journal::append(const Decide& decide,
                                                    const Follower& follower) {
  while (true) {
    LAKEMILL_TRY_OK(catch_up(follower));
    std::optional<JournalEntry> entry = decide(state_);
    if (!entry) return std::optional<JournalEntry>();
    entry->number = state_.entries + 1;
    entry->id = make_uuid(random_);
    entry->member = member_;
    const std::string path = path_of(entry->number, kEntry);
    const auto put = store_.put_if_absent(path, json_text(to_json(*entry)) + "\n");
    if (!put) {
      if (!may_stand(put.error())) return put.error();
      LAKEMILL_TRY(const auto standing, read(entry->number));
      if (!standing) {
        return Error(ErrorCode::unavailable, "it is not known whether " + store_.url() +
                                                 "/" + path + " was written");
      }
      if (standing->id != entry->id) continue;
    }
    follow(*entry, follower);
    if (state_.entries % kStatePeriod == 0) keep_state();
    return entry;
  }
}

Result<std::optional<JournalEntry>> Journal::read(std::int64_t number) {
  const std::string path = path_of(number, kEntry);
  LAKEMILL_TRY(const auto text, storage::find_object(store_, path));
  if (!text) return std::optional<JournalEntry>();
  const auto corrupt = [&](const std::string& why) {
    return Error(ErrorCode::corrupt, store_.url() + "/" + path + ": " + why);
  };
  const auto json = parse_json(*text);
  if (!json) return corrupt(json.error().message());
  auto entry = entry_from_json(*json);
  if (!entry) return corrupt(entry.error().message());
  if (entry->number != number) {
    return corrupt("holds the entry " + std::to_string(entry->number));
  }
  return std::optional(*std::move(entry));
}

void Journal::follow(const JournalEntry& entry, const Follower& follower) {
  apply(state_, entry);
  if (follower) follower(state_, entry);
}

// Saves work at opening, nothing more: one that is not written is written next time.
void Journal::keep_state() {
  const auto put =
      store_.put(path_of(state_.entries, kState), json_text(to_json(state_)) + "\n");
  if (!put) return;
  (void)store_.put(folder_ + "/" + kNewest,
                   json_text(Json{{"state", state_.entries}}) + "\n");
}

std::string Journal::path_of(std::int64_t number, const char* ending) const {
  char name[32];
  std::snprintf(name, sizeof name, "/%012lld", static_cast<long long>(number));
  return folder_ + name + ending;
}

}  // namespace lakemill::orchestrator
