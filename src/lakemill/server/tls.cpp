#include "lakemill/server/tls.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace lakemill::server {

namespace {

using Outcome = IoStep::Outcome;

constexpr std::chrono::microseconds kLookInterval = std::chrono::seconds(1);

struct FreeContext {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { ::SSL_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using Session = std::unique_ptr<SSL, FreeSession>;

// The socket beneath a session. OpenSSL's own writes with write(2), which raises
// SIGPIPE when the peer has gone.
struct Wire {
  FileDescriptor socket;
  bool ended = false;
};

bool must_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int write_wire(BIO* bio, const char* bytes, int size) {
  const auto* wire = static_cast<const Wire*>(::BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t sent =
      ::send(wire->socket.get(), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && must_wait()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int read_wire(BIO* bio, char* bytes, int size) {
  auto* wire = static_cast<Wire*>(::BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t got =
      ::recv(wire->socket.get(), bytes, static_cast<std::size_t>(size), 0);
  if (got < 0 && must_wait()) BIO_set_retry_read(bio);
  if (got == 0) wire->ended = true;
  return static_cast<int>(got);
}

long control_wire(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) {
    return static_cast<const Wire*>(::BIO_get_data(bio))->ended ? 1 : 0;
  }
  return 0;
}

// Made once a process.
const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method =
        ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lakemill socket");
    if (method != nullptr) {
      ::BIO_meth_set_write(method, write_wire);
      ::BIO_meth_set_read(method, read_wire);
      ::BIO_meth_set_ctrl(method, control_wire);
    }
    return method;
  }();
  return kMethod;
}

std::string last_fault() {
  std::array<char, 256> text{};
  ::ERR_error_string_n(::ERR_peek_last_error(), text.data(), text.size());
  ::ERR_clear_error();
  return text.data();
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(std::unique_ptr<Wire> wire, Session session)
      : wire_(std::move(wire)), session_(std::move(session)) {}

  IoStep open() override {
    ::ERR_clear_error();
    return step_of(::SSL_accept(session_.get()), 0);
  }

  IoStep read(std::span<char> bytes) override {
    std::size_t size = 0;
    ::ERR_clear_error();
    const int result = ::SSL_read_ex(session_.get(), bytes.data(), bytes.size(), &size);
    return step_of(result, size);
  }

  IoStep write(std::string_view bytes) override {
    std::size_t size = 0;
    ::ERR_clear_error();
    const int result =
        ::SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &size);
    return step_of(result, size);
  }

  void end_writing() override {
    ::ERR_clear_error();
    if (!is_broken_) ::SSL_shutdown(session_.get());
    ::shutdown(wire_->socket.get(), SHUT_WR);
  }

  int descriptor() const override { return wire_->socket.get(); }

 private:
  IoStep step_of(int result, std::size_t size) {
    if (result > 0) return {Outcome::moved, size};
    switch (::SSL_get_error(session_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return {Outcome::wants_read, 0};
      case SSL_ERROR_WANT_WRITE:
        return {Outcome::wants_write, 0};
      case SSL_ERROR_ZERO_RETURN:
        return {Outcome::ended, 0};
      default:
        is_broken_ = true;  // the library allows no further call
        return {Outcome::failed, 0};
    }
  }

  const std::unique_ptr<Wire> wire_;  // outlives the session's BIO
  const Session session_;
  bool is_broken_ = false;
};

// Of what the client speaks by ALPN, HTTP/1.1.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr std::array<unsigned char, 9> kOurs = {8,   'h', 't', 't', 'p',
                                                         '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  const int result = ::SSL_select_next_proto(&found, size, kOurs.data(), kOurs.size(),
                                             offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

int give_no_passphrase(char*, int, int, void*) { return -1; }

Result<Context> load(const TlsFiles& files) {
  ::ERR_clear_error();
  Context context(::SSL_CTX_new(::TLS_server_method()));
  if (!context) return Error(ErrorCode::unavailable, "TLS: " + last_fault());
  SSL_CTX* raw = context.get();
  ::SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  ::SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
  ::SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  ::SSL_CTX_set_default_passwd_cb(raw, give_no_passphrase);
  if (::SSL_CTX_use_certificate_chain_file(raw, files.certificate.c_str()) != 1) {
    return Error(ErrorCode::invalid, "TLS certificate " + files.certificate +
                                         ": no certificate in PEM can be read (" +
                                         last_fault() + ")");
  }
  if (::SSL_CTX_use_PrivateKey_file(raw, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(raw) != 1) {
    return Error(ErrorCode::invalid, "TLS key " + files.key +
                                         ": no key in PEM, without a passphrase, that "
                                         "belongs to the certificate " +
                                         files.certificate + " can be read (" +
                                         last_fault() + ")");
  }
  return context;
}

// What changes when a file is written or replaced.
struct FileState {
  std::int64_t modified_seconds = 0;
  std::int64_t modified_nanoseconds = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  bool operator==(const FileState&) const = default;
};
using FileStates = std::pair<FileState, FileState>;

FileState state_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ino, found.st_size};
}

FileStates states_of(const TlsFiles& files) {
  return {state_of(files.certificate), state_of(files.key)};
}

class PemIdentity final : public TlsIdentity {
 public:
  PemIdentity(TlsFiles files, Clock& clock, FileStates states, Context context)
      : files_(std::move(files)),
        clock_(clock),
        states_(std::move(states)),
        looked_at_(clock.elapsed()),
        context_(std::move(context)) {}

  std::unique_ptr<Transport> make_transport(FileDescriptor socket) override {
    look_again();
    auto wire = std::make_unique<Wire>();
    wire->socket = std::move(socket);
    Session session(::SSL_new(context_.get()));  // holds the context too
    BIO* bio = wire_method() == nullptr ? nullptr : ::BIO_new(wire_method());
    if (!session || bio == nullptr) {
      ::BIO_free(bio);
      return nullptr;
    }
    ::BIO_set_data(bio, wire.get());
    ::BIO_set_init(bio, 1);
    ::SSL_set_bio(session.get(), bio, bio);
    return std::make_unique<TlsTransport>(std::move(wire), std::move(session));
  }

  std::string fault() const override {
    const std::scoped_lock lock(mutex_);
    return fault_;
  }

 private:
  void look_again() {
    const auto now = clock_.elapsed();
    if (now - looked_at_ < kLookInterval) return;
    looked_at_ = now;
    FileStates states = states_of(files_);  // before the bytes: a change is seen again
    if (states == states_) return;
    states_ = std::move(states);
    auto loaded = load(files_);
    if (loaded) context_ = std::move(*loaded);
    const std::scoped_lock lock(mutex_);
    fault_ = loaded ? "" : loaded.error().message();
  }

  const TlsFiles files_;
  Clock& clock_;
  // I/O thread only:
  FileStates states_;  // of the files that were last loaded, or tried
  std::chrono::microseconds looked_at_;
  Context context_;
  mutable std::mutex mutex_;
  std::string fault_;  // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<TlsIdentity>> TlsIdentity::open(TlsFiles files, Clock& clock) {
  FileStates states = states_of(files);
  LAKEMILL_TRY(Context context, load(files));
  return std::unique_ptr<TlsIdentity>(std::make_unique<PemIdentity>(
      std::move(files), clock, std::move(states), std::move(context)));
}

}  // namespace lakemill::server
