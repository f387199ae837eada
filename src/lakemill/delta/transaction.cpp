#include "lakemill/delta/transaction.h"

#include <algorithm>

#include "lakemill/delta/commit_content.h"
#include "lakemill/delta/commit_writer.h"
#include "lakemill/delta/conflict_check.h"
#include "lakemill/delta/log_reader.h"
#include "lakemill/delta/protocol.h"

namespace lakemill::delta {

namespace {

constexpr int kCommitAttemptsMax = 1000;
constexpr int kReadAttemptsMax = 3;
constexpr int kAttemptsWithoutBackOff = 2;

}  // namespace

class Transaction::State {
 public:
  explicit State(Table& table_of) : table(table_of) {}

  Result<CommitOutcome> commit(std::string_view operation, const Json& details,
                               Clock& clock, Random& random);

  Table& table;
  CollectedChanges changes;
  bool committed = false;

 private:
  std::optional<Conflicted> held_already() const;
  Result<std::optional<Conflicted>> base_cleaned_away(Clock& clock) const;
  Result<CommitOutcome> create(const CommitContent& content, Clock& clock,
                               Random& random);
  Result<CommitOutcome> append(const CommitContent& content, Clock& clock,
                               Random& random);
  Result<std::optional<Conflicted>> pass_winners(const ConflictCheck& check,
                                                 Version& next, Random& random);
  std::string lines(const CommitContent& content, Clock& clock);

  Json commit_info_;
  std::string action_lines_;
  std::int64_t previous_timestamp_ms_ = 0;  // of the newest commit that was seen
};

Transaction::Transaction(Table& table, std::shared_ptr<const Snapshot> base)
    : state_(std::make_unique<State>(table)) {
  LAKEMILL_CHECK(base != nullptr);
  state_->changes.base = std::move(base);
}

Transaction::Transaction(Table& table, NewTable definition)
    : state_(std::make_unique<State>(table)) {
  state_->changes.definition = std::move(definition);
}

Transaction::~Transaction() = default;

void Transaction::add(AddFile file) { state_->changes.adds.push_back(std::move(file)); }

void Transaction::remove(RemoveFile file) {
  state_->changes.removes.push_back(std::move(file));
}

void Transaction::remove_all() { state_->changes.remove_all = true; }

void Transaction::set_metadata(Metadata metadata) {
  state_->changes.metadata = std::move(metadata);
}

void Transaction::set_domain(DomainMetadata domain) {
  state_->changes.domains.push_back(std::move(domain));
}

void Transaction::add_cdc(AddCdcFile file) {
  state_->changes.cdc_files.push_back(std::move(file));
}

void Transaction::changes_follow_from_files() {
  state_->changes.follow_from_files = true;
}

void Transaction::read(ReadScope scope) { state_->changes.scope = scope; }

void Transaction::read_where(std::vector<data::Comparison> conjuncts) {
  state_->changes.conjuncts = std::move(conjuncts);
}

void Transaction::set_transaction(std::string app_id, std::int64_t version) {
  auto& transactions = state_->changes.transactions;
  std::erase_if(transactions,
                [&](const auto& other) { return other.app_id == app_id; });
  transactions.push_back({std::move(app_id), version, std::nullopt});
}

Result<CommitOutcome> Transaction::commit(std::string_view operation,
                                          const Json& details, Clock& clock,
                                          Random& random) {
  LAKEMILL_CHECK(!state_->committed);
  state_->committed = true;
  auto outcome = state_->commit(operation, details, clock, random);
  if (!outcome) {
    return std::move(outcome).error().while_doing("commit to " +
                                                  state_->table.store().url());
  }
  return outcome;
}

Result<CommitOutcome> Transaction::State::commit(std::string_view operation,
                                                 const Json& details, Clock& clock,
                                                 Random& random) {
  if (auto conflict = held_already()) return CommitOutcome(*std::move(conflict));
  LAKEMILL_TRY(const CommitContent content, make_content(changes, clock.now(), random));
  commit_info_ = make_commit_info(operation, details, content);
  commit_info_["txnId"] = make_uuid(random);
  for (const Action& action : content.actions) action_lines_ += to_line(action) + "\n";
  if (changes.base) return append(content, clock, random);
  return create(content, clock, random);
}

// The fence of a flow whose batch is in the table already.
std::optional<Conflicted> Transaction::State::held_already() const {
  if (!changes.base) return std::nullopt;
  for (const SetTransaction& ours : changes.transactions) {
    const auto held = changes.base->transaction(ours.app_id);
    if (held && *held >= ours.version) {
      return Conflicted{changes.base->version(),
                        "version " + std::to_string(changes.base->version()) +
                            " holds transaction " + std::to_string(*held) + " of '" +
                            ours.app_id + "', and this is " +
                            std::to_string(ours.version)};
    }
  }
  return std::nullopt;
}

// A base of days ago may lie before what a clean-up left of the log: the next version
// would then be free again, and a commit that is put there would be lost.
Result<std::optional<Conflicted>> Transaction::State::base_cleaned_away(
    Clock& clock) const {
  constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
  const Version version = changes.base->version();
  const std::int64_t now_ms = to_epoch_ms(clock.now());
  const std::int64_t base_ms = changes.base->timestamp_ms();
  // No clean-up takes entries of the day.
  const bool is_of_today = base_ms <= now_ms && base_ms / kDayMs == now_ms / kDayMs;
  if (is_of_today) return std::optional<Conflicted>();
  const auto own = table.store().head(commit_path(version));
  if (own) return std::optional<Conflicted>();
  if (own.error().code() != ErrorCode::not_found) return own.error();
  LAKEMILL_TRY(const LogListing listing, list_log(table.store(), version));
  if (!listing.empty() && listing.newest() == version)
    return std::optional<Conflicted>();
  return std::optional(Conflicted{
      listing.empty() ? version : listing.newest(),
      "version " + std::to_string(version) +
          ", which this commit was built on, was cleaned away from the log"});
}

Result<CommitOutcome> Transaction::State::create(const CommitContent& content,
                                                 Clock& clock, Random& random) {
  const Conflicted lost{0, "the table was created meanwhile"};
  LAKEMILL_TRY(const bool exists, table_exists(table.store()));
  if (exists) return CommitOutcome(lost);
  LAKEMILL_TRY(const PutOutcome put,
               put_commit(table.store(), 0, lines(content, clock), random));
  switch (put) {
    case PutOutcome::ours:
      return CommitOutcome(Committed{0});
    case PutOutcome::theirs:
      return CommitOutcome(lost);
    case PutOutcome::undecided:
      break;
  }
  return CommitOutcome(Undecided{0});
}

Result<CommitOutcome> Transaction::State::append(const CommitContent& content,
                                                 Clock& clock, Random& random) {
  LAKEMILL_TRY(const auto stale, base_cleaned_away(clock));
  if (stale) return CommitOutcome(*stale);
  const ConflictCheck check(table, *changes.base, content.footprint);
  commit_info_["readVersion"] = changes.base->version();
  previous_timestamp_ms_ = changes.base->timestamp_ms();
  Version next = changes.base->version() + 1;
  for (int attempt = 0; attempt < kCommitAttemptsMax; ++attempt) {
    if (attempt > kAttemptsWithoutBackOff) back_off(attempt, random);
    LAKEMILL_TRY(const PutOutcome put,
                 put_commit(table.store(), next, lines(content, clock), random));
    if (put == PutOutcome::ours) return CommitOutcome(Committed{next});
    if (put == PutOutcome::undecided) return CommitOutcome(Undecided{next});
    LAKEMILL_TRY(const auto conflict, pass_winners(check, next, random));
    if (conflict) return CommitOutcome(*conflict);
  }
  return Error(ErrorCode::unavailable, "lost " + std::to_string(kCommitAttemptsMax) +
                                           " races in a row, the last at version " +
                                           std::to_string(next - 1) +
                                           "; nothing was written: try again");
}

// Checks every commit from `next` on, and moves `next` behind the last.
Result<std::optional<Conflicted>> Transaction::State::pass_winners(
    const ConflictCheck& check, Version& next, Random& random) {
  LogReader reader(table.store(), table.format());
  for (const Version first = next;; ++next) {
    auto winner = reader.read_commit(next);
    for (int attempt = 1;
         attempt < kReadAttemptsMax && !winner && winner.error().retryable();
         ++attempt) {
      back_off(attempt, random);
      winner = reader.read_commit(next);
    }
    if (!winner) {
      const bool behind_the_last =
          next > first && winner.error().code() == ErrorCode::not_found;
      if (behind_the_last) return std::optional<Conflicted>();
      return std::move(winner).error();
    }
    LAKEMILL_TRY(auto reason, check.against(next, *winner));
    if (reason) return std::optional(Conflicted{next, *std::move(reason)});
    for (const Action& action : *winner) {
      if (const auto* info = std::get_if<CommitInfo>(&action)) {
        previous_timestamp_ms_ =
            std::max(previous_timestamp_ms_,
                     integer_member(info->content, "inCommitTimestamp", 0));
      }
    }
  }
}

// commitInfo is the first line: in-commit timestamps need it there.
std::string Transaction::State::lines(const CommitContent& content, Clock& clock) {
  const std::int64_t now_ms = to_epoch_ms(clock.now());
  commit_info_["timestamp"] = now_ms;
  if (in_commit_timestamps_enabled(content.protocol, content.metadata)) {
    const std::int64_t timestamp_ms = std::max(now_ms, previous_timestamp_ms_ + 1);
    commit_info_["inCommitTimestamp"] = timestamp_ms;
    commit_info_["timestamp"] = timestamp_ms;
  }
  return to_line(CommitInfo{commit_info_}) + "\n" + action_lines_;
}

RemoveFile removal_of(const AddFile& file) {
  RemoveFile remove;
  remove.path = file.path;
  remove.partition_values = file.partition_values;
  remove.size_bytes = file.size_bytes;
  remove.deletion_vector = file.deletion_vector;
  return remove;
}

}  // namespace lakemill::delta
