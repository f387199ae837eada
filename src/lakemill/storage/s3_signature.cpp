#include "lakemill/storage/s3_signature.h"

#include <algorithm>

#include "lakemill/base/hash.h"
#include "lakemill/base/text.h"
#include "lakemill/net/uri.h"

namespace lakemill::storage {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Trimmed, and each run of spaces inside as one.
std::string canonical_value(std::string_view value) {
  std::string plain;
  for (const char letter : trim(value)) {
    if (letter == ' ' && plain.ends_with(' ')) continue;
    plain.push_back(letter);
  }
  return plain;
}

// Names in lower case, sorted; headers of one name in their order, with ',' between.
std::vector<std::pair<std::string, std::string>> canonical_headers(
    const std::vector<net::HttpHeader>& headers) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const net::HttpHeader& header : headers) {
    all.emplace_back(to_lower(header.name), canonical_value(header.value));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& left, const auto& right) {
    return left.first < right.first;
  });
  std::vector<std::pair<std::string, std::string>> merged;
  for (auto& [name, value] : all) {
    if (!merged.empty() && merged.back().first == name) {
      merged.back().second += "," + value;
    } else {
      merged.emplace_back(std::move(name), std::move(value));
    }
  }
  return merged;
}

}  // namespace

std::string signing_time(Instant instant) {
  std::string text = format_instant(instant).substr(0, 19);  // 2013-05-24T00:00:00
  std::erase_if(text, [](char letter) { return letter == '-' || letter == ':'; });
  return text + "Z";
}

std::string canonical_query(const QueryParameters& query) {
  QueryParameters escaped;
  for (const auto& [name, value] : query) {
    escaped.emplace_back(net::escape_query(name), net::escape_query(value));
  }
  std::sort(escaped.begin(), escaped.end());
  std::string text;
  for (const auto& [name, value] : escaped) {
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string signature_header(const SignedRequest& request,
                             const S3Credentials& credentials,
                             const SigningScope& scope) {
  std::string lines;
  std::string names;
  for (const auto& [name, value] : canonical_headers(request.headers)) {
    lines.append(name).append(":").append(value).append("\n");
    if (!names.empty()) names += ';';
    names += name;
  }
  const std::string canonical = request.method + "\n" + request.path + "\n" +
                                canonical_query(request.query) + "\n" + lines + "\n" +
                                names + "\n" + request.body_sha256;
  const std::string time = signing_time(scope.now);
  const std::string day = time.substr(0, 8);
  const std::string place =
      day + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string to_sign = std::string(kAlgorithm) + "\n" + time + "\n" + place +
                              "\n" + sha256_hex(canonical);
  std::string key = "AWS4" + credentials.secret_access_key;
  for (const std::string_view part :
       {std::string_view(day), std::string_view(scope.region),
        std::string_view(scope.service), std::string_view("aws4_request")}) {
    key = hmac_sha256(key, part);
  }
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + "/" +
         place + ",SignedHeaders=" + names +
         ",Signature=" + hex_text(hmac_sha256(key, to_sign));
}

}  // namespace lakemill::storage
