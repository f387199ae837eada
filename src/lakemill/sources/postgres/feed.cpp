#include "lakemill/sources/postgres/feed.h"

#include <algorithm>
#include <filesystem>

#include <poll.h>

#include "lakemill/base/text.h"

namespace lakemill::sources::postgres {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kRetryFirst = milliseconds(100);
constexpr auto kRetryDelayMax = seconds(3);
constexpr auto kConnectTimeMax = seconds(12);  // until a server must be there
constexpr auto kRecoverTimeMax = seconds(60);  // until it must be there again
constexpr auto kKeepInterval = milliseconds(1000);
constexpr auto kWaitSlice = milliseconds(20);
constexpr auto kFollowWait = milliseconds(200);
constexpr auto kAskInterval = milliseconds(50);
constexpr int kIdleAnswersMin = 20;
constexpr int kIdleAnswersEnd = 40;
constexpr Lsn kIdleDistanceMax = 16384;  // page ends that no record fills
constexpr std::int64_t kSpoolBytesMax = std::int64_t{1} << 30;  // of nodes not running

auto now() { return std::chrono::steady_clock::now(); }

}  // namespace

PostgresFeed::PostgresFeed(FeedOptions options)
    : options_(std::move(options)),
      lookup_([this] { return control(); }),
      writer_(options_.spool_folder, lookup_) {
  for (const FeedReader& spec : options_.readers) {
    Reader reader;
    reader.spec = spec;
    reader.part.schema = spec.table.schema;
    reader.part.table = spec.table.table;
    readers_.emplace(spec.id, std::move(reader));
  }
}

PostgresFeed::~PostgresFeed() {
  keeper_ = std::jthread();
  const Lock lock(mutex_);
  if (stream_ != nullptr && !options_.looks_only && confirm(true)) {
    // The answer proves that the server has taken the position in.
    const auto end = now() + seconds(2);
    const std::int64_t before = stream_->answers();
    while (now() < end && stream_->answers() == before) {
      if (!stream_->wait(kWaitSlice) || !stream_->take([] { return false; })) break;
    }
  }
  stream_.reset();
  writer_.set_readers({});
  readers_.clear();
  retired_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(options_.spool_folder, ignored);
}

Result<PostgresFeed::Reader*> PostgresFeed::find(const std::string& id) {
  const auto found = readers_.find(id);
  if (found != readers_.end()) return &found->second;
  return Error(ErrorCode::invalid, "the pipeline has no source " + id +
                                       " any more, of which a batch was begun; put it "
                                       "back under its name");
}

Result<std::unique_ptr<Connection>> PostgresFeed::connect(ConnectionPurpose purpose) {
  auto delay = kRetryFirst;
  const auto end = now() + kConnectTimeMax;
  while (true) {
    auto opened = Connection::open(options_.connection, purpose, options_.stop);
    if (opened || !opened.error().retryable() || now() + delay > end) return opened;
    std::this_thread::sleep_for(delay);
    delay = std::min<milliseconds>(delay * 2, kRetryDelayMax);
  }
}

// The connection for questions, made anew when it is gone.
Result<Connection*> PostgresFeed::control() {
  if (control_ != nullptr) {
    const auto alive = control_->query("SELECT 1");
    if (!alive) control_.reset();
  }
  if (control_ == nullptr) {
    LAKEMILL_TRY(control_, connect(ConnectionPurpose::queries));
  }
  return control_.get();
}

// A server that shuts down waits until who reads its log has all of it and says so, or
// hangs up: which is done when it does not answer questions any more.
void PostgresFeed::hang_up() {
  (void)writer_.take_back();  // a spool that cannot be cut is found out when it is used
  stream_.reset();
  control_.reset();
}

Result<PostgresFeed::Ends> PostgresFeed::ends(const std::string& reader) {
  Ends ends;
  LAKEMILL_TRY(const auto positions, load_positions(*options_.store, options_.folder));
  if (positions && positions->slot == options_.slot) {
    const auto found = positions->readers.find(reader);
    if (found != positions->readers.end()) {
      ends.released = std::max(found->second.released, found->second.acknowledged);
    }
  }
  LAKEMILL_TRY(const auto connection,
               Connection::open(options_.connection, ConnectionPurpose::replication,
                                options_.stop));
  LAKEMILL_TRY(const ServerIdentity server, identify(*connection));
  ends.server = server.flushed;
  return ends;
}

// Connects and takes hold of the slot.
Status PostgresFeed::open(bool may_create) {
  LAKEMILL_TRY_OK(load());
  if (stream_ != nullptr) return {};
  LAKEMILL_TRY(Connection * connection, control());
  LAKEMILL_TRY_OK(check_wal_level(*connection, options_.connection.place()));
  return open_slot(may_create);
}

// For a reader without a position, or whose position counts no more: its table is
// published from here on, and is the one that it follows.
Status PostgresFeed::open_to_begin(Reader& reader) {
  LAKEMILL_TRY_OK(load());
  reader.begun = false;
  LAKEMILL_TRY_OK(publish());
  LAKEMILL_TRY_OK(open(true));
  LAKEMILL_TRY_OK(look_at_tables());
  const TableIdentity& table = tables_[reader.spec.table];
  if (!table.is_published) {
    return Error(ErrorCode::unavailable,
                 "table " + reader.spec.table.to_text() + " left publication " +
                     options_.publication + " at " + options_.connection.place() +
                     " while it was about to be read");
  }
  reader.part.relation = table.relation;
  reader.part.has_met_other = false;
  reader.publishing = table.publishing;
  return {};
}

Status PostgresFeed::open_slot(bool may_create) {
  LAKEMILL_TRY(Connection * connection, control());
  const bool claims = !options_.looks_only;
  if (claims) LAKEMILL_TRY_OK(lock_slot(*connection));
  const auto slot = claimed_slot(*connection, may_create);
  // If that fails, it goes with the connection.
  if (claims) (void)unlock_slot(*connection);
  if (!slot) return slot.error();
  LAKEMILL_TRY_OK(check_slot(*slot));
  slot_confirmed_ = (*slot)->confirmed.value_or(0);
  return take_slot(may_create);
}

// The slot, which this pipeline has claimed, and made if it was missing and may be.
Result<std::optional<SlotState>> PostgresFeed::claimed_slot(Connection& connection,
                                                            bool may_create) {
  LAKEMILL_TRY(auto slot, find_slot(connection, options_.slot));
  if (!slot && !known_.system.empty()) {
    // A server that has taken over from another one lacks the slots of that one.
    LAKEMILL_TRY(const auto replication, connect(ConnectionPurpose::replication));
    LAKEMILL_TRY(server_, identify(*replication));
    LAKEMILL_TRY_OK(check_known_server(may_create));
  }
  // Before it is made: who dies in between must not find a slot of somebody else.
  LAKEMILL_TRY_OK(claim_slot(connection, slot.has_value()));
  if (!slot && may_create && options_.create && !options_.looks_only) {
    LAKEMILL_TRY_OK(create_slot(connection, options_.slot, options_.connection.user()));
    LAKEMILL_TRY(slot, find_slot(connection, options_.slot));
  }
  return slot;
}

// Begins to read the slot, which a process that has just died may still hold.
Status PostgresFeed::take_slot(bool may_begin) {
  auto delay = kRetryFirst;
  const auto end = now() + kConnectTimeMax;
  while (true) {
    LAKEMILL_TRY(auto replication, connect(ConnectionPurpose::replication));
    LAKEMILL_TRY(server_, identify(*replication));
    LAKEMILL_TRY_OK(check_known_server(may_begin));
    if (processed_ < slot_confirmed_) processed_ = slot_confirmed_;
    auto started = ReplicationStream::start(
        std::move(replication), {options_.slot, options_.publication, processed_},
        writer_);
    if (started) {
      stream_ = *std::move(started);
      break;
    }
    // Of a process that has just died, or of another one that goes on.
    if (!started.error().retryable()) return std::move(started).error();
    if (now() + delay > end) return slot_in_use(std::move(started).error());
    std::this_thread::sleep_for(delay);
    delay = std::min<milliseconds>(delay * 2, kRetryDelayMax);
  }
  // Whoever held the slot until now may have moved it meanwhile.
  LAKEMILL_TRY(Connection * connection, control());
  LAKEMILL_TRY(const auto slot, find_slot(*connection, options_.slot));
  const Lsn confirmed = slot ? slot->confirmed.value_or(0) : 0;
  if (confirmed > slot_confirmed_) {
    slot_confirmed_ = confirmed;
    if (!target_) {
      loaded_ = false;
      LAKEMILL_TRY_OK(load());
      processed_ = std::max(processed_, slot_confirmed_);
    }
  }
  start_stream();
  return {};
}

void PostgresFeed::start_stream() {
  if (!target_) target_ = server_.flushed;
  give_spools();
  if (keeper_.joinable()) return;
  keeper_ = std::jthread([this](const std::stop_token& stop) { keep_alive(stop); });
}

// Every reader with a position gets a spool; the stream is where it has all of it.
void PostgresFeed::give_spools() {
  std::vector<SpoolReader*> parts;
  for (auto& [id, reader] : readers_) {
    if (!reader.spec.streams) continue;
    const bool is_all_to_come =
        processed_ <= std::max(reader.part.from + 1, reader.released);
    if (reader.begun && reader.spool == nullptr && is_all_to_come) {
      reader.spool = std::make_unique<ChangeSpool>(
          options_.spool_folder + "/" + std::to_string(++spools_made_),
          reader.spec.every_commit);
      reader.spooled_from = std::max(reader.part.from, processed_ - 1);
      reader.part.spool = reader.spool.get();
    }
    parts.push_back(&reader.part);
  }
  writer_.set_readers(std::move(parts));
}

// Lets a reader in that begins where the stream is. Of transactions that have come in
// part it would get the rest only: those come again from their beginning.
Status PostgresFeed::let_in() {
  give_spools();
  if (!writer_.in_transaction() && !writer_.has_streamed()) return {};
  LAKEMILL_TRY_OK(writer_.take_back());
  stream_.reset();
  return take_slot(false);
}

// Reads the slot from its own position again: a reader needs what is not here any more.
Status PostgresFeed::restart() {
  LAKEMILL_TRY_OK(writer_.take_back());
  stream_.reset();
  for (auto& [id, reader] : readers_) {
    if (reader.spool != nullptr) retired_.push_back(std::move(reader.spool));
    reader.spool = nullptr;
    reader.part.spool = nullptr;
  }
  processed_ = 0;
  return open_slot(false);
}

Status PostgresFeed::attach(Reader& reader, const FeedStart& from,
                            const std::optional<Visibility>& seen) {
  if (stream_ == nullptr) LAKEMILL_TRY_OK(open(false));
  LAKEMILL_TRY_OK(check_server(from.server, server_));
  LAKEMILL_TRY_OK(check_table(reader, from.from));
  const bool has_all = reader.spool != nullptr && reader.begun &&
                       reader.part.from <= from.from &&
                       reader.spooled_from <= std::max(from.from, slot_confirmed_ - 1);
  if (!has_all) LAKEMILL_TRY_OK(check_gap(reader, from.from));
  if (reader.begun && reader.acknowledged <= from.from) {
    reader.acknowledged = from.from;
  } else {
    reader.acknowledged = reader.part.from = from.from;
    reader.released = from.from + 1;
  }
  reader.begun = true;
  reader.part.seen = seen;
  if (has_all) return {};
  reader.part.from = from.from;
  if (reader.spool == nullptr && processed_ <= from.from + 1) {
    return let_in();
  }
  return restart();
}

Result<FeedStart> PostgresFeed::begin(const std::string& id) {
  const Lock lock(mutex_);
  LAKEMILL_TRY(Reader * reader, find(id));
  LAKEMILL_TRY_OK(open_to_begin(*reader));
  reader->begun = true;
  reader->acknowledged = reader->part.from = processed_ - 1;
  reader->released = processed_;
  reader->part.seen.reset();
  if (reader->spool != nullptr) retired_.push_back(std::move(reader->spool));
  reader->spool = nullptr;
  LAKEMILL_TRY_OK(let_in());
  if (!options_.looks_only) LAKEMILL_TRY_OK(confirm(false));
  return FeedStart{processed_ - 1, server_};
}

Result<TableLayout> PostgresFeed::layout_now(const std::string& id) {
  const Lock lock(mutex_);
  LAKEMILL_TRY(Reader * reader, find(id));
  LAKEMILL_TRY(Connection * connection, control());
  LAKEMILL_TRY(
      const TableDescription table,
      describe_table(*connection, reader->spec.table, options_.publication, 1));
  return make_layout(table.columns, lookup_);
}

Status PostgresFeed::check(const std::string& id, Lsn from,
                           const ServerIdentity& server, const Visibility& seen) {
  const Lock lock(mutex_);
  LAKEMILL_TRY(Reader * reader, find(id));
  quiet_ = true;
  auto attached = attach(*reader, {from, server}, seen);
  quiet_ = false;
  return attached;
}

Result<Lsn> PostgresFeed::advance(const std::string& id, const FeedStart& from,
                                  const std::optional<Visibility>& seen,
                                  const SpoolBounds& bounds) {
  Lock lock(mutex_);
  LAKEMILL_TRY(Reader * reader, find(id));
  LAKEMILL_TRY_OK(attach(*reader, from, seen));
  reader->spool->release(from.from);
  LAKEMILL_TRY_OK(pump(lock, *reader, from.from, bounds, std::nullopt));
  if (reader->part.has_met_other) LAKEMILL_TRY_OK(check_table(*reader, from.from));
  return reader->spool->end_of(from.from, bounds);
}

Result<std::vector<SpoolPart>> PostgresFeed::between(
    const std::string& id, const FeedStart& from, const std::optional<Visibility>& seen,
    Lsn to) {
  Lock lock(mutex_);
  LAKEMILL_TRY(Reader * reader, find(id));
  LAKEMILL_TRY_OK(attach(*reader, from, seen));
  reader->spool->release(from.from);
  LAKEMILL_TRY_OK(pump(lock, *reader, from.from, {}, to));
  return reader->spool->between(from.from, to);
}

// Reads on until a batch is full, what it caught up with is reached, `until` has come,
// or, when following, something is there or a while has gone by.
Status PostgresFeed::pump(Lock& lock, Reader& reader, Lsn from,
                          const SpoolBounds& bounds, std::optional<Lsn> until) {
  const auto begin = now();
  auto asked = begin - kAskInterval;
  const auto enough = [&] {
    if (until) return processed_ > *until;
    return reader.spool == nullptr || reader.spool->is_full(from, bounds);
  };
  while (true) {
    if (options_.stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    if (stream_ == nullptr) {
      LAKEMILL_TRY_OK(recover(lock, Error(ErrorCode::unavailable, "hung up")));
    }
    const auto took = stream_->take([&] {
      processed_ = std::max(processed_, stream_->processed());
      return enough();
    });
    if (!took) {
      LAKEMILL_TRY_OK(recover(lock, took.error()));
      continue;
    }
    processed_ = std::max(processed_, stream_->processed());
    drop_large_spools();
    if (enough()) return {};
    const bool caught_up =
        processed_ >= *target_ ||
        (stream_->idle_answers() >= kIdleAnswersMin &&
         *target_ - processed_ <= kIdleDistanceMax && !writer_.in_transaction());
    if (until && caught_up && stream_->idle_answers() >= kIdleAnswersEnd) {
      return Error(ErrorCode::invalid,
                   options_.connection.place() + " has no log up to " +
                       to_text(*until) +
                       ", which a batch was planned to end with: it was restored to "
                       "an earlier time; drop the bronze tables to begin anew");
    }
    if (!until && options_.follows) {
      const bool something = reader.spool->first_after(from).has_value();
      if (something && !*took) return {};
      if (!something && now() - begin > kFollowWait) return {};
    } else if (!until && caught_up) {
      return {};
    }
    if (*took) {
      if (const auto more = stream_->wait(milliseconds(0)); !more) {
        LAKEMILL_TRY_OK(recover(lock, more.error()));
      }
      continue;
    }
    if ((until || !options_.follows) && now() - asked >= kAskInterval) {
      (void)stream_->report(0, true);  // a failure shows in the next reading
      asked = now();
    }
    const int socket = stream_->socket();
    lock.unlock();  // others may take what is there meanwhile
    pollfd ready{socket, POLLIN, 0};
    (void)::poll(&ready, 1, static_cast<int>(kWaitSlice.count()));
    lock.lock();
    if (stream_ == nullptr) continue;
    if (const auto more = stream_->wait(milliseconds(0)); !more) {
      LAKEMILL_TRY_OK(recover(lock, more.error()));
    }
  }
}

// After the connection has gone: from the last whole transaction on.
Status PostgresFeed::recover(Lock& /*lock*/, const Error& error) {
  if (stream_ != nullptr) stream_.reset();
  LAKEMILL_TRY_OK(writer_.take_back());
  if (!error.retryable()) return error;
  auto delay = kRetryFirst;
  const auto end = now() + kRecoverTimeMax;
  control_.reset();
  const std::string from = to_text(processed_);
  (void)told(PostgresNews::Kind::connection_lost, error, {{"position", from}});
  while (true) {
    auto opened = open(false);
    if (opened) {
      if (slot_confirmed_ > processed_) {
        return told(PostgresNews::Kind::slot_moved,
                    Error(ErrorCode::invalid,
                          "replication slot " + options_.slot + " was moved from " +
                              to_text(processed_) + " to " + to_text(slot_confirmed_) +
                              " by somebody else while it was read"),
                    {{"from", to_text(processed_)}, {"to", to_text(slot_confirmed_)}});
      }
      tell({PostgresNews::Kind::connection_restored,
            "",
            options_.connection.place() + " is read again",
            {{"position", from}}});
      return {};
    }
    if (!opened.error().retryable() || now() + delay > end) return opened;
    std::this_thread::sleep_for(delay);
    delay = std::min<milliseconds>(delay * 2, kRetryDelayMax);
  }
}

// A node that does not run must not fill the disk: it reads the slot anew when it does.
void PostgresFeed::drop_large_spools() {
  if (writer_.in_transaction()) return;
  std::int64_t size = 0;
  for (const auto& [id, reader] : readers_) {
    if (reader.spool != nullptr) size += reader.spool->size_bytes();
  }
  if (size <= kSpoolBytesMax) return;
  for (auto& [id, reader] : readers_) {
    const bool has_been_read = reader.spool == nullptr || !reader.spool->is_idle();
    if (has_been_read) continue;
    reader.released = released(reader);
    reader.part.spool = nullptr;
    reader.spool.reset();
  }
}

// Up to where the server may forget on behalf of a reader.
Lsn PostgresFeed::released(const Reader& reader) const {
  if (reader.spool == nullptr)
    return std::max(reader.released, reader.acknowledged + 1);
  const auto waiting = reader.spool->first_after(reader.acknowledged);
  return std::max(reader.released, waiting.value_or(processed_));
}

// Writes down where the readers are, then tells the server.
Status PostgresFeed::confirm(bool wants_answer) {
  if (stream_ == nullptr || options_.looks_only) return {};
  FeedPositions positions;
  positions.slot = options_.slot;
  positions.system = server_.system;
  positions.timeline = server_.timeline;
  Lsn least = processed_;
  for (auto& [id, reader] : readers_) {
    if (!reader.spec.streams || !reader.begun) continue;
    reader.released = released(reader);
    least = std::min(least, reader.released);
    ReaderPosition position{reader.acknowledged, reader.released, {}, {}};
    position.table.relation = reader.part.relation;
    position.table.publishing = reader.publishing;
    const bool matters =
        reader.part.seen && reader.released <= reader.part.seen->horizon;
    if (matters) position.seen = reader.part.seen;
    positions.readers.emplace(id, std::move(position));
  }
  if (least > slot_confirmed_ || !known_.same_readers(positions) ||
      known_.system.empty()) {
    LAKEMILL_TRY_OK(save_positions(*options_.store, options_.folder, positions));
    known_ = std::move(positions);
  }
  slot_confirmed_ = std::max(slot_confirmed_, least);
  return stream_->report(least, wants_answer);
}

void PostgresFeed::acknowledge(const std::string& id, Lsn lsn) {
  const Lock lock(mutex_);
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  Reader& reader = found->second;
  reader.acknowledged = std::max(reader.acknowledged, lsn);
  if (reader.spool != nullptr) reader.spool->release(lsn);
  // If that fails, the next time makes up for it: the batch stands.
  if (options_.confirms_each_batch) (void)confirm(false);
}

// The server hangs up on who is silent, and keeps its log until it is told.
void PostgresFeed::keep_alive(const std::stop_token& stop) {
  Lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait_for(lock, stop, kKeepInterval, [] { return false; });
    if (stop.stop_requested() || stream_ == nullptr) continue;
    (void)confirm(false);  // the next reading finds out what is wrong
    const bool answers = control_ == nullptr || control_->query("SELECT 1");
    if (!answers) hang_up();
  }
}

}  // namespace lakemill::sources::postgres
