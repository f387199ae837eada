// The examples that AWS publishes: four requests to S3 ("Authenticating Requests: Using
// the Authorization Header") and cases of the test suite of Signature Version 4.
#include "lakemill/storage/s3_signature.h"

#include <gtest/gtest.h>

#include "lakemill/base/hash.h"

namespace lakemill::storage {
namespace {

constexpr const char* kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Instant instant(const char* text) { return *parse_instant(text); }

std::string signature_of(const std::string& header) {
  return header.substr(header.rfind('=') + 1);
}

class PublishedS3Examples : public testing::Test {
 protected:
  std::string sign(SignedRequest request) {
    request.headers.push_back({"host", "examplebucket.s3.amazonaws.com"});
    request.headers.push_back({"x-amz-content-sha256", request.body_sha256});
    request.headers.push_back({"x-amz-date", "20130524T000000Z"});
    return signature_header(
        request,
        {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""},
        {.region = "us-east-1", .now = instant("2013-05-24T00:00:00Z")});
  }
};

TEST_F(PublishedS3Examples, ReadsARange) {
  const std::string header = sign({.method = "GET",
                                   .path = "/test.txt",
                                   .query = {},
                                   .headers = {{"Range", "bytes=0-9"}},
                                   .body_sha256 = kEmptySha256});
  EXPECT_EQ(header,
            "AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature="
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(PublishedS3Examples, WritesAnObjectWithAnOddKey) {
  const std::string header =
      sign({.method = "PUT",
            .path = "/test%24file.text",
            .query = {},
            .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
            .body_sha256 = sha256_hex("Welcome to Amazon S3.")});
  EXPECT_EQ(signature_of(header),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(PublishedS3Examples, AsksForASubresource) {
  const std::string header = sign({.method = "GET",
                                   .path = "/",
                                   .query = {{"lifecycle", ""}},
                                   .headers = {},
                                   .body_sha256 = kEmptySha256});
  EXPECT_EQ(signature_of(header),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(PublishedS3Examples, ListsWithAQueryThatIsNotSorted) {
  const std::string header = sign({.method = "GET",
                                   .path = "/",
                                   .query = {{"prefix", "J"}, {"max-keys", "2"}},
                                   .headers = {},
                                   .body_sha256 = kEmptySha256});
  EXPECT_EQ(signature_of(header),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

struct SuiteCase {
  const char* name;
  const char* method;
  QueryParameters query;
  std::vector<net::HttpHeader> headers;
  const char* signature;
};

class PublishedSuite : public testing::TestWithParam<SuiteCase> {};

TEST_P(PublishedSuite, GivesThePublishedSignature) {
  SignedRequest request{.method = GetParam().method,
                        .path = "/",
                        .query = GetParam().query,
                        .headers = {{"Host", "example.amazonaws.com"},
                                    {"X-Amz-Date", "20150830T123600Z"}},
                        .body_sha256 = kEmptySha256};
  for (const auto& header : GetParam().headers) request.headers.push_back(header);
  const std::string header = signature_header(
      request, {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""},
      {.region = "us-east-1",
       .service = "service",
       .now = instant("2015-08-30T12:36:00Z")});
  EXPECT_EQ(signature_of(header), GetParam().signature);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, PublishedSuite,
    testing::Values(
        SuiteCase{"get_vanilla",
                  "GET",
                  {},
                  {},
                  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        SuiteCase{"get_vanilla_query_order_key_case",
                  "GET",
                  {{"Param2", "value2"}, {"Param1", "value1"}},
                  {},
                  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        SuiteCase{"get_header_value_trim",
                  "GET",
                  {},
                  {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
                  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        SuiteCase{"post_vanilla",
                  "POST",
                  {},
                  {},
                  "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"}),
    [](const auto& tested) { return tested.param.name; });

TEST(CanonicalQuery, SortsAndEscapes) {
  EXPECT_EQ(canonical_query({{"b", "x/y z"}, {"a", ""}, {"b", "+"}}),
            "a=&b=%2B&b=x%2Fy%20z");
}

}  // namespace
}  // namespace lakemill::storage
