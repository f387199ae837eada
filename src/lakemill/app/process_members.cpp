#include "lakemill/app/process_members.h"

#include "lakemill/base/process_identity.h"

namespace lakemill::app {

namespace {

std::string path_of(const std::string& member) {
  return "_lakemill/members/" + member + ".json";
}

}  // namespace

Result<std::unique_ptr<ProcessMembers>> ProcessMembers::join(
    storage::ObjectStore& store, Clock& clock, Random& random) {
  std::unique_ptr<ProcessMembers> members(
      new ProcessMembers(store, clock, make_uuid(random)));
  LAKEMILL_TRY_OK(members->beat());
  members->thread_ = std::jthread([each = members.get()](const std::stop_token& stop) {
    each->run(stop);
  });
  return members;
}

ProcessMembers::~ProcessMembers() {
  thread_ = std::jthread();
  (void)store_.remove(path_of(id_));  // one that stays is found to be gone
}

Status ProcessMembers::beat() {
  Json mark = this_process();
  mark["beat"] = ++beats_;
  return store_.put(path_of(id_), json_text(mark));
}

void ProcessMembers::run(const std::stop_token& stop) {
  std::mutex waiting;
  std::unique_lock lock(waiting);
  while (!stop.stop_requested()) {
    (void)stopped_.wait_for(lock, stop, kBeatPeriod, [] { return false; });
    if (!stop.stop_requested()) (void)beat();  // the next one says it too
  }
}

void ProcessMembers::look_at(const std::string& member, Seen& seen, bool is_first) {
  seen.looked_at = clock_.elapsed();
  const auto text = store_.get(path_of(member));
  if (!text) {
    // Who leaves takes its mark away, and has ended its runs before.
    seen.is_absent = text.error().code() == ErrorCode::not_found;
    return;
  }
  const auto read = parse_json(*text);
  Json mark = read ? *read : Json::object();
  seen.is_absent = false;
  if (is_first || mark != seen.mark) seen.grew_at = seen.looked_at;
  seen.mark = std::move(mark);
}

bool ProcessMembers::is_gone(const std::string& member) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = others_.try_emplace(member);
  Seen& seen = found->second;
  if (is_new || clock_.elapsed() - seen.looked_at >= kBeatPeriod) {
    look_at(member, seen, is_new);
  }
  if (seen.is_absent) return true;
  const ProcessLife life = life_of(seen.mark);
  if (life != ProcessLife::elsewhere) return life == ProcessLife::gone;
  return seen.looked_at - seen.grew_at >= kSilenceMax;
}

}  // namespace lakemill::app
