#include "lakemill/server/tls.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lakemill/base/random.h"
#include "lakemill/server/listener_fixture.h"

namespace lakemill::server {
namespace {

using ::testing::HasSubstr;

// A certificate for `name`, by itself, and its key.
struct Pair {
  std::string certificate;
  std::string key;
};

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  ::BIO_free(bio);
  return text;
}

Pair make_pair(const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = ::X509_new();
  ::X509_set_version(certificate, 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), 1);
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -3600);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate), 3600);
  ::X509_set_pubkey(certificate, key);
  X509_NAME* subject = ::X509_get_subject_name(certificate);
  ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
  ::X509_set_issuer_name(certificate, subject);
  ::X509_sign(certificate, key, ::EVP_sha256());
  BIO* certificate_text = ::BIO_new(::BIO_s_mem());
  BIO* key_text = ::BIO_new(::BIO_s_mem());
  ::PEM_write_bio_X509(certificate_text, certificate);
  ::PEM_write_bio_PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr, nullptr);
  ::X509_free(certificate);
  ::EVP_PKEY_free(key);
  return {text_of(certificate_text), text_of(key_text)};
}

// As one who renews them does: beside, then moved into place.
void put(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new", std::ios::binary) << text;
  std::filesystem::rename(path + ".new", path);
}

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    SystemRandom random;
    folder_ = ::testing::TempDir() + "/tls-" + make_uuid(random);
    std::filesystem::create_directories(folder_);
    files_ = {folder_ + "/certificate.pem", folder_ + "/key.pem"};
    put_pair(make_pair("first"));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void put_pair(const Pair& pair) {
    put(files_.certificate, pair.certificate);
    put(files_.key, pair.key);
  }
  std::unique_ptr<TlsIdentity> identity() {
    auto opened = TlsIdentity::open(files_, clock_);
    EXPECT_TRUE(opened.has_value());
    return std::move(*opened);
  }

  SystemClock clock_;
  std::string folder_;
  TlsFiles files_;
};

// A blocking client over TLS.
class TlsClient {
 public:
  TlsClient(int port, int version_max, const std::string& protocols)
      : context_(::SSL_CTX_new(::TLS_client_method())) {
    ::SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    ::SSL_CTX_set_max_proto_version(context_, version_max);
    ::SSL_CTX_set_security_level(context_, 0);
    session_ = ::SSL_new(context_);
    if (!protocols.empty()) {
      ::SSL_set_alpn_protos(session_,
                            reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
    }
    socket_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{10, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                        sizeof address),
              0);
    ::SSL_set_fd(session_, socket_.get());
    is_open_ = ::SSL_connect(session_) == 1;
  }
  explicit TlsClient(int port) : TlsClient(port, TLS1_3_VERSION, "") {}
  ~TlsClient() {
    ::SSL_free(session_);
    ::SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool is_open() const { return is_open_; }
  std::string version() const { return ::SSL_get_version(session_); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(session_, &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  }
  // The name in the certificate of the other side.
  std::string name() const {
    X509* certificate = ::SSL_get1_peer_certificate(session_);
    std::array<char, 64> name{};
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate), NID_commonName,
                                name.data(), name.size());
    ::X509_free(certificate);
    return name.data();
  }
  void send(const std::string& bytes) {
    std::size_t size = 0;
    EXPECT_EQ(::SSL_write_ex(session_, bytes.data(), bytes.size(), &size), 1);
  }
  bool await(const std::string& text) {
    while (received_.find(text) == std::string::npos) {
      if (!receive()) return false;
    }
    received_.erase(0, received_.find(text) + text.size());
    return true;
  }
  // Bytes up to the end that the other side told of (no cut).
  std::string rest() {
    while (receive()) {
    }
    EXPECT_EQ(::SSL_get_shutdown(session_) & SSL_RECEIVED_SHUTDOWN,
              SSL_RECEIVED_SHUTDOWN);
    return received_;
  }

 private:
  bool receive() {
    std::array<char, 16'384> bytes{};
    std::size_t size = 0;
    if (::SSL_read_ex(session_, bytes.data(), bytes.size(), &size) != 1) return false;
    received_.append(bytes.data(), size);
    return true;
  }

  SSL_CTX* context_;
  SSL* session_ = nullptr;
  FileDescriptor socket_;
  std::string received_;
  bool is_open_ = false;
};

constexpr const char* kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(Tls, CarriesRequestsAndTellsHandlers) {
  const auto tls = identity();
  RunningListener listener(test_limits(), tls.get());
  TlsClient client(listener.port());
  ASSERT_TRUE(client.is_open());
  EXPECT_EQ(client.version(), "TLSv1.3");
  client.send(std::string(kHello) + kHello);
  EXPECT_TRUE(client.await("\r\n\r\nhi"));
  EXPECT_TRUE(client.await("\r\n\r\nhi"));
  client.send("GET /who HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.await("127.0.0.1 loopback tls"));
}

TEST_F(Tls, CarriesWhatIsLargerThanItsRecordsBothWays) {
  const auto tls = identity();
  RunningListener listener(test_limits(), tls.get());
  TlsClient client(listener.port());
  const std::string body(1'000'000, 'b');
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" +
              body);
  EXPECT_TRUE(client.await("\r\n\r\n" + body));
  client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = client.rest();
  EXPECT_THAT(answer.substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, std::size_t{8} << 20);
}

TEST_F(Tls, CarriesEventStreams) {
  const auto tls = identity();
  RunningListener listener(test_limits(), tls.get());
  TlsClient client(listener.port());
  client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(client.await("\r\n\r\n"));
  listener.gate.streams().at(0)->send(
      std::make_shared<const std::string>("data: one\n\n"));
  EXPECT_TRUE(client.await("data: one\n\n"));
  listener.gate.streams().at(0)->finish();
  EXPECT_EQ(client.rest(), "");
}

TEST_F(Tls, SpeaksTwelveAndThirteenAndHttp11) {
  const auto tls = identity();
  RunningListener listener(test_limits(), tls.get());
  EXPECT_EQ(TlsClient(listener.port(), TLS1_2_VERSION, "").version(), "TLSv1.2");
  EXPECT_FALSE(TlsClient(listener.port(), TLS1_1_VERSION, "").is_open());
  TlsClient both(listener.port(), TLS1_3_VERSION, "\x02h2\x08http/1.1");
  EXPECT_EQ(both.protocol(), "http/1.1");
  TlsClient other(listener.port(), TLS1_3_VERSION, "\x02h2");
  EXPECT_TRUE(other.is_open());
  EXPECT_EQ(other.protocol(), "");
}

TEST_F(Tls, IsNotDisturbedByThoseWhoDoNotSpeakIt) {
  ListenerLimits limits = test_limits();
  limits.head_time = std::chrono::milliseconds(700);
  const auto tls = identity();
  RunningListener listener(limits, tls.get());
  Client plain(listener.port());
  plain.get("/hello");
  EXPECT_EQ(plain.status(), 0);
  Client silent(listener.port());
  EXPECT_TRUE(silent.is_ended());
  TlsClient client(listener.port());
  client.send(kHello);
  EXPECT_TRUE(client.await("\r\n\r\nhi"));
}

TEST_F(Tls, ShowsARenewedCertificateWithoutARestart) {
  const auto tls = identity();
  RunningListener listener(test_limits(), tls.get());
  EXPECT_EQ(TlsClient(listener.port()).name(), "first");
  put_pair(make_pair("second"));
  EXPECT_TRUE(
      eventually([&] { return TlsClient(listener.port()).name() == "second"; }));
  EXPECT_EQ(tls->fault(), "");
}

TEST_F(Tls, KeepsTheLastCertificateThatWasGood) {
  const auto tls = identity();
  RunningListener listener(test_limits(), tls.get());
  const Pair next = make_pair("next");
  put(files_.certificate, next.certificate);  // its key is yet to come
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(TlsClient(listener.port()).name(), "first");
    return !tls->fault().empty();
  }));
  EXPECT_THAT(tls->fault(), HasSubstr(files_.key));
  put(files_.key, next.key);
  EXPECT_TRUE(eventually([&] { return TlsClient(listener.port()).name() == "next"; }));
  EXPECT_EQ(tls->fault(), "");
}

TEST_F(Tls, SaysWhichFileIsWrong) {
  const auto fault = [&](const TlsFiles& files) {
    const auto opened = TlsIdentity::open(files, clock_);
    EXPECT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code(), ErrorCode::invalid);
    return opened.error().message();
  };
  EXPECT_THAT(fault({folder_ + "/absent.pem", files_.key}), HasSubstr("absent.pem"));
  EXPECT_THAT(fault({files_.key, files_.key}), HasSubstr("no certificate"));
  put(files_.key, make_pair("other").key);
  EXPECT_THAT(fault(files_), HasSubstr("key.pem"));
}

}  // namespace
}  // namespace lakemill::server
