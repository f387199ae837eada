#include "lakemill/server/listener.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "lakemill/base/check.h"
#include "lakemill/server/connection.h"
#include "lakemill/server/mailbox.h"
#include "lakemill/server/tls.h"
#include "lakemill/server/transport.h"
#include "lakemill/server/worker_pool.h"

namespace lakemill::server {

namespace {

using std::chrono::microseconds;

constexpr std::size_t kReadBufferBytes = 64 << 10;
constexpr int kAcceptsAtOnce = 64;
constexpr microseconds kAcceptPause = std::chrono::milliseconds(100);
// What epoll tells events of; connections count on from there.
constexpr ConnectionId kListening = 0;
constexpr ConnectionId kMail = 1;
constexpr ConnectionId kFirstConnection = 2;

class EpollListener final : public Listener {
 public:
  EpollListener(const ListenerOptions& options, BoundSocket bound, FileDescriptor epoll,
                std::shared_ptr<Mailbox> mailbox, Gate& gate, Clock& clock)
      : limits_(options.limits),
        tls_(options.tls),
        bound_(std::move(bound)),
        epoll_(std::move(epoll)),
        clock_(clock),
        workers_(limits_.workers, limits_.queue_max),
        shared_{limits_,
                gate,
                clock,
                workers_,
                std::move(mailbox),
                std::vector<char>(kReadBufferBytes)} {}

  // Handlers are asked to stop before the pool waits for them.
  ~EpollListener() override { connections_.clear(); }

  const Address& address() const override { return bound_.address; }
  bool is_loopback() const override { return bound_.is_loopback; }
  void run(const std::stop_token& stop) override;

  Status watch(int descriptor, ConnectionId id) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
      return system_error("watch a socket");
    }
    return {};
  }

 private:
  struct Entry {
    std::unique_ptr<Connection> connection;
    std::uint32_t watched = 0;          // what epoll looks for
    std::optional<microseconds> timer;  // as it stands in timers_
    std::string client;
  };
  using Entries = std::unordered_map<ConnectionId, Entry>;

  int wait_ms() const;
  void wait_for_events();
  void accept_all();
  void add(AcceptedSocket accepted);
  bool make_room(const AcceptedSocket& accepted, const std::string& client);
  void turn_away(const AcceptedSocket& accepted, const Refusal& refusal);
  void take_mail();
  void serve_others();
  void expire_timers();
  void begin_drain();
  void close_all();
  void settle(Entries::iterator entry);
  void remove(Entries::iterator entry);
  void set_timer(ConnectionId id, Entry& entry, std::optional<microseconds> timer);

  const ListenerLimits limits_;
  TlsIdentity* const tls_;
  BoundSocket bound_;
  const FileDescriptor epoll_;
  Clock& clock_;
  WorkerPool workers_;
  // All below: I/O thread only.
  ListenerShared shared_;
  Entries connections_;
  ConnectionId next_id_ = kFirstConnection;
  std::map<std::string, std::size_t> clients_;  // how many connections each has
  std::set<std::pair<microseconds, ConnectionId>> timers_;
  std::vector<ConnectionId> ready_;            // that have more to do without waiting
  std::optional<microseconds> accepts_again_;  // after the process was out of room
  std::optional<microseconds> drains_until_;
};

void EpollListener::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { shared_.mailbox->wake(); });
  while (true) {
    if (stop.stop_requested() && !shared_.draining) begin_drain();
    if (shared_.draining && connections_.empty()) return;
    wait_for_events();
    take_mail();
    serve_others();
    expire_timers();
  }
}

// How long epoll may wait.
int EpollListener::wait_ms() const {
  if (!ready_.empty()) return 0;
  std::optional<microseconds> next;
  const auto consider = [&](std::optional<microseconds> instant) {
    if (instant && (!next || *instant < *next)) next = instant;
  };
  if (!timers_.empty()) consider(timers_.begin()->first);
  consider(accepts_again_);
  consider(drains_until_);
  if (!next) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*next - clock_.elapsed());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void EpollListener::wait_for_events() {
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(),
                                 static_cast<int>(events.size()), wait_ms());
  bool may_accept = false;
  for (int index = 0; index < count; ++index) {
    const epoll_event& event = events[static_cast<std::size_t>(index)];
    if (event.data.u64 == kListening) may_accept = true;
    const auto entry = connections_.find(event.data.u64);
    if (entry == connections_.end()) continue;  // mail, or closed meanwhile
    constexpr std::uint32_t kGone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((event.events & kGone) != 0) {
      entry->second.connection->hang_up();
    } else {
      entry->second.connection->advance();
    }
    settle(entry);
  }
  if (may_accept) accept_all();
}

void EpollListener::accept_all() {
  if (shared_.draining) return;
  for (int index = 0; index < kAcceptsAtOnce; ++index) {
    auto accepted = accept_socket(bound_.socket);
    if (!accepted) {  // no descriptor is left: epoll would tell of it for ever
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, bound_.socket.get(), nullptr);
      accepts_again_ = clock_.elapsed() + kAcceptPause;
      return;
    }
    if (!*accepted) return;
    add(std::move(**accepted));
  }
}

void EpollListener::add(AcceptedSocket accepted) {
  accepted.peer.has_tls = tls_ != nullptr;
  const std::string client = client_of(accepted.peer);
  if (!make_room(accepted, client)) return;
  const int descriptor = accepted.socket.get();
  auto transport = tls_ != nullptr ? tls_->make_transport(std::move(accepted.socket))
                                   : make_plain_transport(std::move(accepted.socket));
  if (!transport) return;
  const ConnectionId id = next_id_++;
  if (!watch(descriptor, id)) return;
  Entry entry;
  entry.connection = std::make_unique<Connection>(id, std::move(transport),
                                                  std::move(accepted.peer), shared_);
  entry.watched = EPOLLIN;
  entry.client = client;
  ++clients_[client];
  const auto added = connections_.emplace(id, std::move(entry)).first;
  added->second.connection->advance();
  settle(added);
}

// False if there is none for this client; it was told.
bool EpollListener::make_room(const AcceptedSocket& accepted,
                              const std::string& client) {
  const auto own = clients_.find(client);
  if (own != clients_.end() && own->second >= limits_.of_one_client_max) {
    turn_away(accepted, {429, "too_many_connections",
                         "There are too many connections from this address."});
    return false;
  }
  if (connections_.size() < limits_.connections_max) return true;
  auto oldest = connections_.end();
  for (auto entry = connections_.begin(); entry != connections_.end(); ++entry) {
    if (!entry->second.connection->is_idle()) continue;
    if (oldest == connections_.end() || entry->second.timer < oldest->second.timer) {
      oldest = entry;
    }
  }
  if (oldest == connections_.end()) {
    turn_away(accepted, {503, "busy", "There are too many connections."});
    return false;
  }
  oldest->second.connection->close();
  remove(oldest);
  return true;
}

void EpollListener::turn_away(const AcceptedSocket& accepted, const Refusal& refusal) {
  if (tls_ != nullptr) return;  // nothing can be said before the handshake
  const Answer answer = error_answer(refusal);
  const std::string bytes = answer_head(answer, true, clock_.now()) + answer.body;
  (void)::send(accepted.socket.get(), bytes.data(), bytes.size(),
               MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(accepted.socket.get(), SHUT_WR);
}

void EpollListener::take_mail() {
  for (Mail& mail : shared_.mailbox->take()) {
    const auto entry = connections_.find(mail.connection);
    if (entry == connections_.end()) {
      if (mail.answer && mail.answer->stream) mail.answer->stream->abandon();
      continue;
    }
    if (mail.answer) entry->second.connection->take(std::move(*mail.answer));
    entry->second.connection->advance();
    settle(entry);
  }
}

// Those that left off so that others had their turn.
void EpollListener::serve_others() {
  for (const ConnectionId id : std::exchange(ready_, {})) {
    const auto entry = connections_.find(id);
    if (entry == connections_.end()) continue;
    entry->second.connection->advance();
    settle(entry);
  }
}

void EpollListener::expire_timers() {
  const microseconds now = clock_.elapsed();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto entry = connections_.find(timers_.begin()->second);
    LAKEMILL_CHECK(entry != connections_.end());
    set_timer(entry->first, entry->second, std::nullopt);
    entry->second.connection->expire();
    settle(entry);
  }
  if (accepts_again_ && *accepts_again_ <= now) {
    accepts_again_.reset();
    if (!shared_.draining && !watch(bound_.socket.get(), kListening)) {
      accepts_again_ = now + kAcceptPause;
    }
  }
  if (drains_until_ && *drains_until_ <= now) close_all();
}

void EpollListener::begin_drain() {
  shared_.draining = true;
  drains_until_ = clock_.elapsed() + limits_.drain_time;
  bound_.socket = FileDescriptor();  // clients that come from now on are refused
  std::vector<ConnectionId> all;
  for (const auto& [id, entry] : connections_) all.push_back(id);
  for (const ConnectionId id : all) {
    const auto entry = connections_.find(id);
    entry->second.connection->drain();
    settle(entry);
  }
}

void EpollListener::close_all() {
  while (!connections_.empty()) {
    connections_.begin()->second.connection->close();
    remove(connections_.begin());
  }
}

// After a connection has done something: what it waits for now.
void EpollListener::settle(Entries::iterator entry) {
  const ConnectionId id = entry->first;
  Entry& known = entry->second;
  const Connection& connection = *known.connection;
  if (connection.is_closed()) return remove(entry);
  set_timer(id, known, connection.deadline());
  if (connection.has_more()) {
    ready_.push_back(id);
    return;
  }
  const std::uint32_t interest = connection.interest();
  if (interest == known.watched) return;
  epoll_event event{};
  event.events = interest;
  event.data.u64 = id;
  const int change = known.watched == 0 ? EPOLL_CTL_ADD
                     : interest == 0    ? EPOLL_CTL_DEL
                                        : EPOLL_CTL_MOD;
  if (::epoll_ctl(epoll_.get(), change, connection.descriptor(), &event) != 0) {
    return remove(entry);
  }
  known.watched = interest;
}

void EpollListener::remove(Entries::iterator entry) {
  set_timer(entry->first, entry->second, std::nullopt);
  const auto client = clients_.find(entry->second.client);
  if (--client->second == 0) clients_.erase(client);
  connections_.erase(entry);
}

void EpollListener::set_timer(ConnectionId id, Entry& entry,
                              std::optional<microseconds> timer) {
  if (timer == entry.timer) return;
  if (entry.timer) timers_.erase({*entry.timer, id});
  if (timer) timers_.emplace(*timer, id);
  entry.timer = timer;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const ListenerOptions& options,
                                                 Gate& gate, Clock& clock) {
  LAKEMILL_TRY(BoundSocket bound, bind_socket(options.address));
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return system_error("make an epoll descriptor");
  LAKEMILL_TRY(auto mailbox, Mailbox::open());
  const int listening = bound.socket.get();
  const int mail = mailbox->descriptor();
  auto listener = std::make_unique<EpollListener>(
      options, std::move(bound), std::move(epoll), std::move(mailbox), gate, clock);
  LAKEMILL_TRY_OK(listener->watch(listening, kListening));
  LAKEMILL_TRY_OK(listener->watch(mail, kMail));
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace lakemill::server
