// What S3 stores do beyond the contract that object_store_test.cpp checks: what they
// send, what they make of faults, and that a lost answer never makes two commits. Some
// over a client that plays the server, some over a real one (see s3_test_server.h).
#include "lakemill/storage/s3_store.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include <gtest/gtest.h>

#include "lakemill/storage/s3_test_server.h"
#include "lakemill/testing/manual_clock.h"
#include "lakemill/testing/matchers.h"

namespace lakemill::storage {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using testkit::HasError;
using testkit::IsOk;
using testkit::IsOkAnd;
using Answer = Result<HttpResponse>;

constexpr const char* kSecret = "VerySecretWord";

std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const auto& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

Answer status(int code, const std::string& s3_code) {
  HttpResponse response;
  response.status = code;
  if (!s3_code.empty()) {
    response.body = "<?xml version=\"1.0\"?><Error><Code>" + s3_code +
                    "</Code><Message>words of the server</Message></Error>";
  }
  return response;
}

/// Answers as a function says, and keeps what was asked.
class PlayedServer final : public net::HttpClient {
 public:
  using Play = std::function<Answer(const HttpRequest&, int call)>;
  explicit PlayedServer(Play play) : play_(std::move(play)) {}

  Answer send(const HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    asked.push_back(request);
    return play_(request, static_cast<int>(asked.size()) - 1);
  }

  std::vector<HttpRequest> asked;  // their bodies may be gone

 private:
  std::mutex mutex_;
  Play play_;
};

/// A provider over a played server, with a clock that stands still.
class Played : public testing::Test {
 protected:
  std::shared_ptr<ObjectStore> store(const std::string& url, PlayedServer::Play play) {
    server_ = std::make_unique<PlayedServer>(std::move(play));
    provider_ = make_s3_provider(
        [this](const std::string&) -> Result<S3Options> { return options_; },
        {*server_, clock_, random_,
         [this](std::chrono::milliseconds pause) { pauses_.push_back(pause); }});
    auto opened = provider_->open(url);
    EXPECT_THAT(opened, IsOk());
    return *opened;
  }

  S3Options options_ = {.endpoint = "http://host:9000",
                        .credentials = {"KEYID", kSecret, "token"}};
  testkit::ManualClock clock_;
  SeededRandom random_{7};
  std::unique_ptr<PlayedServer> server_;
  std::unique_ptr<StoreProvider> provider_;
  std::vector<std::chrono::milliseconds> pauses_;
};

TEST_F(Played, AddressesObjectsByPathWhereAnEndpointIsGiven) {
  const auto play = [](const HttpRequest&, int) { return status(200, ""); };
  ASSERT_THAT(store("s3://bucket/a b", play)->get("k+1/x"), IsOk());
  EXPECT_EQ(server_->asked[0].url, "http://host:9000/bucket/a%20b/k%2B1/x");
  EXPECT_EQ(header_of(server_->asked[0], "x-amz-security-token"), "token");
  EXPECT_NE(header_of(server_->asked[0], "Authorization")
                .find("Credential=KEYID/20260101/us-east-1/s3/aws4_request"),
            std::string::npos);
  options_.path_style = false;
  ASSERT_THAT(store("s3://bucket", play)->get("k"), IsOk());
  EXPECT_EQ(server_->asked[0].url, "http://bucket.host:9000/k");
}

TEST_F(Played, AddressesAmazonByTheBucketsHost) {
  options_.endpoint = "";
  options_.region = "eu-west-3";
  const auto play = [](const HttpRequest&, int) { return status(200, ""); };
  ASSERT_THAT(store("s3://bucket/p", play)->get("k"), IsOk());
  EXPECT_EQ(server_->asked[0].url, "https://bucket.s3.eu-west-3.amazonaws.com/p/k");
  ASSERT_THAT(store("s3a://a.bucket", play)->get("k"), IsOk());
  EXPECT_EQ(server_->asked[0].url, "https://s3.eu-west-3.amazonaws.com/a.bucket/k");
}

TEST_F(Played, TriesAgainWhatMaySucceedLater) {
  for (const auto& passing :
       {status(503, "SlowDown"), status(500, "InternalError"), status(429, ""),
        status(400, "RequestTimeout"), status(502, ""),
        Answer(Error(ErrorCode::unavailable, "no connection")),
        Answer(Error(ErrorCode::unknown, "no whole answer"))}) {
    const auto opened = store("s3://bucket", [&](const HttpRequest&, int call) {
      return call < 2 ? passing : status(200, "");
    });
    EXPECT_THAT(opened->get("k"), IsOk());
    EXPECT_EQ(server_->asked.size(), 3U);
  }
  EXPECT_EQ(pauses_.size(), 14U);
}

TEST_F(Played, GivesUpWithTheObjectTheOperationAndTheCodeButNoSecret) {
  options_.retries.attempts_max = 3;
  const auto opened = store("s3://bucket/lake", [](const HttpRequest&, int) {
    return status(503, "SlowDown");
  });
  const auto got = opened->get("t/x");
  EXPECT_THAT(got, HasError(ErrorCode::unavailable,
                            "read s3://bucket/lake/t/x: S3 answers 503 SlowDown: words "
                            "of the server"));
  EXPECT_THAT(got, HasError(ErrorCode::unavailable, "(after 3 attempts)"));
  EXPECT_EQ(got.error().message().find(kSecret), std::string::npos);
  EXPECT_EQ(got.error().message().find("token"), std::string::npos);
  EXPECT_EQ(server_->asked.size(), 3U);
}

TEST_F(Played, SaysOfAWriteWithoutAnAnswerThatItIsUnknown) {
  const auto lost = store("s3://bucket", [](const HttpRequest&, int) {
    return Answer(Error(ErrorCode::unknown, "no whole answer from host"));
  });
  EXPECT_THAT(lost->put("k", "x"), HasError(ErrorCode::unknown, "write s3://bucket/k"));
  EXPECT_THAT(lost->get("k"), HasError(ErrorCode::unavailable, "read s3://bucket/k"));
  const auto refused = store("s3://bucket", [](const HttpRequest&, int) {
    return Answer(Error(ErrorCode::unavailable, "no connection to host"));
  });
  EXPECT_THAT(refused->put("k", "x"),
              HasError(ErrorCode::unavailable, "no connection"));
}

TEST_F(Played, TellsWhatIsWrongWithBucketsAndCredentials) {
  const auto answering = [this](Answer answer) {
    return store("s3://bucket",
                 [answer](const HttpRequest&, int) -> Answer { return answer; });
  };
  EXPECT_THAT(answering(status(404, "NoSuchBucket"))->list("", ""),
              HasError(ErrorCode::invalid, "make the bucket bucket"));
  EXPECT_THAT(answering(status(404, "NoSuchBucket"))->remove("k"),
              HasError(ErrorCode::invalid, "NoSuchBucket"));
  EXPECT_THAT(answering(status(403, "SignatureDoesNotMatch"))->get("k"),
              HasError(ErrorCode::denied, "SignatureDoesNotMatch"));
  EXPECT_THAT(answering(status(400, "ExpiredToken"))->get("k"),
              HasError(ErrorCode::denied, "get new credentials"));
  HttpResponse elsewhere;
  elsewhere.status = 301;
  elsewhere.headers = {{"x-amz-bucket-region", "eu-west-1"}};
  EXPECT_THAT(answering(elsewhere)->get("k"),
              HasError(ErrorCode::invalid, "the region eu-west-1: set AWS_REGION"));
  options_.credentials = {};
  EXPECT_THAT(answering(status(403, "AccessDenied"))->get("k"),
              HasError(ErrorCode::denied, "no credentials are set (AWS_ACCESS_KEY_ID"));
  EXPECT_EQ(header_of(server_->asked[0], "Authorization"), "");
}

TEST_F(Played, RefusesNamesThatNoBucketHas) {
  (void)store("s3://bucket", [](const HttpRequest&, int) { return status(200, ""); });
  for (const auto* url : {"s3://", "s3:///x", "s3://b@x/y", "s3://ab", "s3://a b/c"}) {
    EXPECT_THAT(provider_->open(url), HasError(ErrorCode::invalid, "names no bucket"))
        << url;
  }
}

TEST_F(Played, AllowsForAClockThatDiffersFromTheServers) {
  HttpResponse skewed = status(403, "RequestTimeTooSkewed").value();
  skewed.headers = {{"date", "Thu, 01 Jan 2026 03:00:00 GMT"}};
  const auto opened =
      store("s3://bucket", [&](const HttpRequest& request, int) -> Answer {
        if (header_of(request, "x-amz-date") < "20260101T025500Z") return skewed;
        return status(200, "");
      });
  EXPECT_THAT(opened->get("k"), IsOk());
  EXPECT_EQ(header_of(server_->asked[1], "x-amz-date"), "20260101T030000Z");
  EXPECT_THAT(opened->get("k"), IsOk());
  EXPECT_EQ(server_->asked.size(), 3U) << "the difference is kept";
}

TEST_F(Played, EndsWhereTheClockIsNotWhatIsWrong) {
  HttpResponse denied = status(403, "AccessDenied").value();
  denied.headers = {{"date", "Thu, 01 Jan 2026 03:00:00 GMT"}};
  const auto opened =
      store("s3://bucket", [&](const HttpRequest&, int) -> Answer { return denied; });
  EXPECT_THAT(opened->get("k"), HasError(ErrorCode::denied, "AccessDenied"));
  EXPECT_EQ(server_->asked.size(), 2U);
}

// A store that takes every PUT would let two writers win one commit.
TEST_F(Played, RefusesAStoreThatIgnoresConditions) {
  const auto ignoring =
      store("s3://bucket", [](const HttpRequest&, int) { return status(200, ""); });
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(ignoring->put_if_absent("_delta_log/0.json", "x"),
                HasError(ErrorCode::unsupported, "does not honour conditional writes"));
  }
  for (const auto& request : server_->asked) {
    EXPECT_EQ(request.url.find("_delta_log"), std::string::npos) << request.url;
  }
  EXPECT_EQ(server_->asked[2].method, "DELETE") << "leaves nothing behind";
  EXPECT_THAT(store("s3://bucket", [](const HttpRequest&,
                                      int) { return status(501, "NotImplemented"); })
                  ->put_if_absent("k", "x"),
              HasError(ErrorCode::unsupported, "does not honour conditional writes"));
}

TEST_F(Played, ReadsFromServersThatKnowNoRanges) {
  HttpResponse whole;
  whole.status = 200;
  whole.body = "0123456789";
  const auto opened =
      store("s3://bucket", [&](const HttpRequest&, int) -> Answer { return whole; });
  EXPECT_THAT(opened->get_range("k", 2, 3), IsOkAnd("234"));
  EXPECT_THAT(opened->get_range("k", 10, 3), IsOkAnd(""));
}

TEST_F(Played, RefusesListsThatDoNotEnd) {
  HttpResponse page;
  page.status = 200;
  page.body =
      "<ListBucketResult><IsTruncated>true</IsTruncated>"
      "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
  EXPECT_THAT(
      store("s3://bucket", [&](const HttpRequest&, int) -> Answer { return page; })
          ->list("", ""),
      HasError(ErrorCode::corrupt, "list s3://bucket"));
  page.body = "<html><body>a proxy speaks<br></body>";
  EXPECT_THAT(
      store("s3://bucket", [&](const HttpRequest&, int) -> Answer { return page; })
          ->list("", ""),
      HasError(ErrorCode::corrupt, "no readable XML"));
}

// ---------------------------------------------------------------- over a real server

enum class HttpFault : std::uint8_t {
  none,
  refuse,       // not sent
  lose_answer,  // sent and done, no answer
  slow_down,    // not done: 503
  broken_500,   // done, and answered 500
};

/// Passes requests on, and lets some go wrong.
class FaultyHttp final : public net::HttpClient {
 public:
  using Choose = std::function<HttpFault(const HttpRequest&, int call)>;
  FaultyHttp(net::HttpClient& inner, Choose choose)
      : inner_(inner), choose_(std::move(choose)) {}

  Answer send(const HttpRequest& request) override {
    HttpFault fault;
    {
      const std::lock_guard lock(mutex_);
      fault = choose_(request, calls_++);
      asked_.push_back(request.method + " " + request.url);
    }
    if (fault == HttpFault::refuse) return Error(ErrorCode::unavailable, "refused");
    if (fault == HttpFault::slow_down) return status(503, "SlowDown");
    auto answer = inner_.send(request);
    if (fault == HttpFault::lose_answer) return Error(ErrorCode::unknown, "lost");
    if (fault == HttpFault::broken_500) return status(500, "InternalError");
    return answer;
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  int count(std::string_view method, std::string_view part) {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(
        std::count_if(asked_.begin(), asked_.end(), [&](const std::string& line) {
          return line.starts_with(method) && line.find(part) != std::string::npos;
        }));
  }

 private:
  net::HttpClient& inner_;
  Choose choose_;
  std::mutex mutex_;
  int calls_ = 0;                   // guarded by mutex_
  std::vector<std::string> asked_;  // guarded by mutex_
};

class Real : public testing::Test {
 protected:
  void SetUp() override {
    if (!server_.is_there()) GTEST_SKIP() << S3TestServer::kMissing;
    options_ = server_.options();
    ASSERT_THAT(direct(), IsOk());
    store_ = *direct();
  }

  Result<std::shared_ptr<ObjectStore>> direct() {
    return server_.provider().open(server_.folder());
  }
  // A store with faults; the last one made is the one that counts.
  std::shared_ptr<ObjectStore> faulty(FaultyHttp::Choose choose) {
    http_ = std::make_unique<FaultyHttp>(server_.http(), std::move(choose));
    provider_ = server_.make_provider(options_, *http_);
    return *provider_->open(server_.folder());
  }
  // One whose k-th request goes wrong.
  std::shared_ptr<ObjectStore> faulty_at(int at, HttpFault fault) {
    return faulty([=](const HttpRequest&, int call) {
      return call == at ? fault : HttpFault::none;
    });
  }

  S3TestServer server_;
  S3Options options_;
  std::shared_ptr<ObjectStore> store_;
  std::unique_ptr<FaultyHttp> http_;
  std::unique_ptr<StoreProvider> provider_;
};

constexpr HttpFault kFaults[] = {HttpFault::refuse, HttpFault::lose_answer,
                                 HttpFault::slow_down, HttpFault::broken_500};

using S3OverAServer = Real;

// Goal: a commit whose answer is lost is told as ours, by reading back. Method: every
// request of a conditional write, each fault.
TEST_F(S3OverAServer, ConditionalWritesSurviveAFaultInAnyRequest) {
  for (const auto fault : kFaults) {
    for (int at = 0; at < 6; ++at) {
      SCOPED_TRACE(testing::Message() << "fault " << int(fault) << " at " << at);
      const std::string path =
          "log/" + std::to_string(int(fault)) + "-" + std::to_string(at);
      EXPECT_THAT(faulty_at(at, fault)->put_if_absent(path, "ours"), IsOk());
      EXPECT_THAT(store_->get(path), IsOkAnd("ours"));
      EXPECT_THAT(faulty_at(at, fault)->put_if_absent(path, "others"),
                  HasError(ErrorCode::exists, path));
      // Equal bytes of another writer are another writer's all the same.
      EXPECT_THAT(faulty_at(at, fault)->put_if_absent(path, "ours"),
                  HasError(ErrorCode::exists, path));
      EXPECT_THAT(store_->get(path), IsOkAnd("ours"));
    }
  }
}

TEST_F(S3OverAServer, AConditionalWriteThatNobodyAnswersIsUnknown) {
  const auto opened = faulty([](const HttpRequest& request, int) {
    return request.url.find("/log/") != std::string::npos ? HttpFault::lose_answer
                                                          : HttpFault::none;
  });
  EXPECT_THAT(opened->put_if_absent("log/7", "ours"),
              HasError(ErrorCode::unknown, "write s3://"));
  EXPECT_THAT(store_->get("log/7"), IsOkAnd("ours")) << "it did arrive";
}

// Goal: whatever is lost, each name has one winner, who knows it or does not know.
TEST_F(S3OverAServer, RacingWritersWithLostAnswersHaveOneWinnerForEachName) {
  constexpr int kNames = 40;
  constexpr int kWriters = 3;
  std::mutex mutex;
  SeededRandom random(11);
  const auto opened = faulty([&](const HttpRequest&, int) {
    const std::lock_guard lock(mutex);
    const auto drawn = random.next() % 10;
    return drawn < 3 ? HttpFault::lose_answer
                     : (drawn == 3 ? HttpFault::broken_500 : HttpFault::none);
  });
  std::vector<std::set<int>> winners(kNames);
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        for (std::size_t name = 0; name < kNames; ++name) {
          const auto put = opened->put_if_absent("race/" + std::to_string(name),
                                                 "by " + std::to_string(writer));
          const std::lock_guard lock(mutex);
          if (put) {
            winners[name].insert(writer);
          } else {
            EXPECT_TRUE(put.error().code() == ErrorCode::exists ||
                        put.error().code() == ErrorCode::unknown)
                << put.error().message();
          }
        }
      });
    }
  }
  for (std::size_t name = 0; name < kNames; ++name) {
    ASSERT_LE(winners[name].size(), 1U) << name;
    if (winners[name].empty()) continue;
    ASSERT_THAT(store_->get("race/" + std::to_string(name)),
                IsOkAnd("by " + std::to_string(*winners[name].begin())));
  }
}

TEST_F(S3OverAServer, ReadsSurviveAFaultInAnyRequest) {
  ASSERT_THAT(store_->put("a/x", "0123456789"), IsOk());
  for (const auto fault : kFaults) {
    EXPECT_THAT(faulty_at(0, fault)->get("a/x"), IsOkAnd("0123456789"));
    EXPECT_THAT(faulty_at(0, fault)->get_range("a/x", 2, 3), IsOkAnd("234"));
    EXPECT_THAT(faulty_at(0, fault)->head("a/x"), IsOk());
    EXPECT_THAT(faulty_at(0, fault)->list_folders(""), IsOkAnd(testing::SizeIs(1)));
    EXPECT_THAT(faulty_at(0, fault)->list("a/", ""), IsOkAnd(testing::SizeIs(1)));
    EXPECT_THAT(faulty_at(0, fault)->remove("absent"), IsOk());
  }
}

TEST_F(S3OverAServer, ListsMoreThanOnePage) {
  std::vector<std::string> expected;
  for (int i = 10; i < 33; ++i) {
    expected.push_back("l/" + std::to_string(i) + "/x");
    ASSERT_THAT(store_->put(expected.back(), "x"), IsOk());
  }
  options_.list_page_max = 4;
  const auto opened = faulty_at(-1, HttpFault::none);
  auto listed = opened->list("l/", "");
  ASSERT_THAT(listed, IsOk());
  std::vector<std::string> paths;
  for (const auto& object : *listed) paths.push_back(object.path);
  EXPECT_EQ(paths, expected);
  EXPECT_EQ(http_->calls(), 6);
  EXPECT_THAT(opened->list("l/", "l/20/x"), IsOkAnd(testing::SizeIs(12)));
  EXPECT_THAT(opened->list_folders("l"), IsOkAnd(testing::SizeIs(23)));
}

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

constexpr std::size_t kPart = std::size_t{5} << 20;  // the least that S3 takes

// Goal: a large object is written whole or not at all. Method: a fault in each request
// of an upload of three parts.
TEST_F(S3OverAServer, UploadsInPartsSurviveAFaultInAnyRequest) {
  options_.part_size_bytes = kPart;
  const std::string bytes = bytes_of(2 * kPart + 1000);
  for (const auto fault : kFaults) {
    for (int at = -1; at < 5; ++at) {
      if (at < 0 && fault != kFaults[0]) continue;
      SCOPED_TRACE(testing::Message() << "fault " << int(fault) << " at " << at);
      auto writer = faulty_at(at, fault)->create("big");
      ASSERT_THAT(writer, IsOk());
      for (std::size_t begin = 0; begin < bytes.size(); begin += 3'000'000) {
        ASSERT_THAT((*writer)->append(std::string_view(bytes).substr(begin, 3'000'000)),
                    IsOk());
      }
      ASSERT_THAT((*writer)->finish(), IsOk());
      ASSERT_TRUE(store_->get("big").value() == bytes);
      writer->reset();
      EXPECT_EQ(http_->count("DELETE", "uploadId"), 0);
      ASSERT_THAT(store_->remove("big"), IsOk());
    }
  }
}

TEST_F(S3OverAServer, AbortsUploadsThatAreNotFinished) {
  options_.part_size_bytes = kPart;
  const auto opened = faulty_at(-1, HttpFault::none);
  {
    auto writer = opened->create("big");
    ASSERT_THAT(writer, IsOk());
    ASSERT_THAT((*writer)->append(bytes_of(kPart + 1)), IsOk());
  }
  EXPECT_EQ(http_->count("DELETE", "uploadId"), 1);
  EXPECT_THAT(store_->get("big"), HasError(ErrorCode::not_found, "big"));

  const auto failing = faulty([](const HttpRequest& request, int) {
    return request.url.find("partNumber=2") != std::string::npos ? HttpFault::slow_down
                                                                 : HttpFault::none;
  });
  {
    auto writer = failing->create("big");
    ASSERT_THAT(writer, IsOk());
    ASSERT_THAT((*writer)->append(bytes_of(kPart + 1)), IsOk());
    EXPECT_THAT((*writer)->finish(), HasError(ErrorCode::unavailable, "SlowDown"));
  }
  EXPECT_EQ(http_->count("DELETE", "uploadId"), 1);
  EXPECT_THAT(store_->get("big"), HasError(ErrorCode::not_found, "big"));
}

TEST_F(S3OverAServer, WritesLargeObjectsUnderTheConditionToo) {
  options_.part_size_bytes = kPart;
  options_.single_put_max_bytes = 1000;
  const std::string bytes = bytes_of(kPart + 1000);
  for (const auto fault : kFaults) {
    for (int at = 3; at < 8; ++at) {
      SCOPED_TRACE(testing::Message() << "fault " << int(fault) << " at " << at);
      ASSERT_THAT(faulty_at(at, fault)->put_if_absent("big", bytes), IsOk());
      EXPECT_THAT(faulty_at(at, fault)->put_if_absent("big", bytes),
                  HasError(ErrorCode::exists, "big"));
      ASSERT_TRUE(store_->get("big").value() == bytes);
      ASSERT_THAT(store_->remove("big"), IsOk());
    }
  }
}

TEST_F(S3OverAServer, TriesConditionsOutOnceABucketAndLeavesNothing) {
  const auto opened = faulty_at(-1, HttpFault::none);
  ASSERT_THAT(opened->put_if_absent("1", "x"), IsOk());
  EXPECT_EQ(http_->calls(), 4);
  ASSERT_THAT(opened->put_if_absent("2", "x"), IsOk());
  EXPECT_EQ(http_->calls(), 5);
  EXPECT_THAT(store_->list("", ""), IsOkAnd(testing::SizeIs(2)));
}

TEST_F(S3OverAServer, SaysThatABucketIsMissing) {
  auto opened = server_.provider().open("s3://no-such-bucket-here/x");
  ASSERT_THAT(opened, IsOk());
  EXPECT_THAT((*opened)->list("", ""), HasError(ErrorCode::invalid, "NoSuchBucket"));
  EXPECT_THAT((*opened)->put("k", "x"), HasError(ErrorCode::invalid, "NoSuchBucket"));
  EXPECT_THAT((*opened)->put_if_absent("k", "x"),
              HasError(ErrorCode::invalid, "NoSuchBucket"));
}

TEST_F(S3OverAServer, SaysThatCredentialsAreWrong) {
  options_.credentials.secret_access_key = kSecret;
  auto wrong = faulty_at(-1, HttpFault::none)->get("k");
  EXPECT_THAT(wrong, HasError(ErrorCode::denied, "SignatureDoesNotMatch"));
  EXPECT_EQ(wrong.error().message().find(kSecret), std::string::npos);
  options_.credentials.access_key_id = "NOBODY";
  EXPECT_THAT(faulty_at(-1, HttpFault::none)->put("k", "x"),
              HasError(ErrorCode::denied, "InvalidAccessKeyId"));
}

}  // namespace
}  // namespace lakemill::storage
