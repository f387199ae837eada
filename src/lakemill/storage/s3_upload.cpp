#include "lakemill/storage/s3_upload.h"

#include <algorithm>

#include "lakemill/storage/s3_xml.h"

namespace lakemill::storage {

namespace {

constexpr std::string_view kWriteIdHeader = "x-amz-meta-lakemill-write";
constexpr std::size_t kPartsMax = 10'000;  // S3's bound
constexpr std::size_t kPartsOfOneSize = 1'000;

bool is_success(const net::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

S3Call call_for(const S3Target& target, std::string_view activity, std::string method) {
  S3Call call;
  call.activity = activity;
  call.method = std::move(method);
  call.bucket = target.bucket;
  call.key = target.key;
  return call;
}

enum class Whose : std::uint8_t { ours, others, nobodys };

// Who wrote the object that is there.
Result<Whose> owner_of(S3Connection& connection, const S3Target& target,
                       const std::string& write_id) {
  const S3Call call = call_for(target, "read back", "HEAD");
  LAKEMILL_TRY(const auto response, connection.send(call));
  if (response.status == 404) return Whose::nobodys;
  if (!is_success(response)) return connection.failure(call, response);
  return response.header(kWriteIdHeader) == write_id ? Whose::ours : Whose::others;
}

Error exists(const S3Call& call) {
  return {ErrorCode::exists, "write " + s3_place(call) + ": it exists already"};
}

// The outcome of a conditional write whose answer says "something is there".
Status settle_taken(S3Connection& connection, const S3Target& target,
                    const std::string& write_id, const S3Call& call) {
  auto owner = owner_of(connection, target, write_id);
  if (!owner) {
    return Error(ErrorCode::unknown,
                 "write " + s3_place(call) +
                     ": it cannot be told who wrote it: " + owner.error().message());
  }
  if (*owner == Whose::ours) return {};
  return exists(call);
}

// The outcome of a conditional write without an answer: unknown unless its object, or
// another's, is there by now.
Status settle_lost(S3Connection& connection, const S3Target& target,
                   const std::string& write_id, const S3Call& call, Error lost) {
  if (lost.code() != ErrorCode::unknown) return lost;
  const auto owner = owner_of(connection, target, write_id);
  if (owner && *owner == Whose::ours) return {};
  if (owner && *owner == Whose::others) return exists(call);
  return lost;
}

}  // namespace

Status put_object(S3Connection& connection, const S3Target& target,
                  std::string_view bytes) {
  S3Call call = call_for(target, "write", "PUT");
  call.body = bytes;
  const std::string write_id = target.if_absent ? make_uuid(connection.random()) : "";
  if (target.if_absent) {
    call.headers.push_back({"If-None-Match", "*"});
    call.headers.push_back({std::string(kWriteIdHeader), write_id});
  }
  auto response = connection.send(call);
  if (!response) {
    if (!target.if_absent) return std::move(response).error();
    return settle_lost(connection, target, write_id, call, std::move(response).error());
  }
  if (is_success(*response)) return {};
  if (target.if_absent && response->status == 412) {
    return settle_taken(connection, target, write_id, call);
  }
  return connection.failure(call, *response);
}

S3Upload::S3Upload(S3Connection& connection, S3Target target)
    : connection_(connection),
      target_(std::move(target)),
      write_id_(make_uuid(connection.random())) {}

S3Upload::~S3Upload() {
  if (answer_.valid()) (void)answer_.get();  // of no use any more
  abort();
}

S3Call S3Upload::call(std::string_view activity, std::string method) const {
  return call_for(target_, activity, std::move(method));
}

std::size_t S3Upload::part_size() const {
  return static_cast<std::size_t>(connection_.options().part_size_bytes)
         << (etags_.size() / kPartsOfOneSize);
}

Status S3Upload::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t room = part_size() - std::min(part_size(), collected_.size());
    const std::size_t taken = std::min(room, bytes.size());
    collected_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    // A full part is sent once more bytes come, so that the last one is never empty.
    if (!bytes.empty()) LAKEMILL_TRY_OK(send_part());
  }
  return {};
}

Status S3Upload::begin() {
  S3Call start = call("begin to write", "POST");
  start.query = {{"uploads", ""}};
  start.headers.push_back({std::string(kWriteIdHeader), write_id_});
  LAKEMILL_TRY(const auto response, connection_.send(start));
  if (!is_success(response)) return connection_.failure(start, response);
  LAKEMILL_TRY(const XmlElement read, parse_xml(response.body));
  upload_id_ = read.child_text("UploadId");
  if (upload_id_.empty()) {
    return Error(ErrorCode::corrupt,
                 "begin to write " + s3_place(start) + ": the answer names no upload");
  }
  return {};
}

Status S3Upload::send_part() {
  if (upload_id_.empty()) LAKEMILL_TRY_OK(begin());
  LAKEMILL_TRY_OK(await_part());
  if (etags_.size() == kPartsMax) {
    return Error(ErrorCode::invalid,
                 "write " + s3_place(call("", "")) + ": the object is too large");
  }
  travelling_ = std::exchange(collected_, std::string());
  S3Call part = call("write", "PUT");
  part.query = {{"partNumber", std::to_string(etags_.size() + 1)},
                {"uploadId", upload_id_}};
  part.body = travelling_;
  answer_ = std::async(std::launch::async, [this, part]() -> Result<std::string> {
    LAKEMILL_TRY(const auto response, connection_.send(part));
    if (!is_success(response)) return connection_.failure(part, response);
    return std::string(response.header("etag"));
  });
  return {};
}

Status S3Upload::await_part() {
  if (!answer_.valid()) return {};
  LAKEMILL_TRY(std::string etag, answer_.get());
  etags_.push_back(std::move(etag));
  return {};
}

Status S3Upload::finish() {
  if (upload_id_.empty()) return put_object(connection_, target_, collected_);
  LAKEMILL_TRY_OK(send_part());
  LAKEMILL_TRY_OK(await_part());
  return complete();
}

Status S3Upload::complete() {
  std::string body = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < etags_.size(); ++i) {
    body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
            escape_xml(etags_[i]) + "</ETag></Part>";
  }
  body += "</CompleteMultipartUpload>";
  S3Call end = call("write", "POST");
  end.query = {{"uploadId", upload_id_}};
  end.body = body;
  if (target_.if_absent) end.headers.push_back({"If-None-Match", "*"});
  auto response = connection_.send(end);
  if (!response) {
    auto settled =
        settle_lost(connection_, target_, write_id_, end, std::move(response).error());
    // Who knows nothing aborts nothing: the parts may be the object by now.
    if (settled || settled.error().code() == ErrorCode::unknown) upload_id_.clear();
    return settled;
  }
  const std::string code = s3_error_code(*response);
  if (is_success(*response) && code.empty()) {
    upload_id_.clear();
    return {};
  }
  // No such upload: an earlier attempt whose answer was lost has ended it.
  if (response->status == 412 || code == "NoSuchUpload") {
    auto owner = owner_of(connection_, target_, write_id_);
    if (owner && *owner == Whose::ours) {
      upload_id_.clear();
      return {};
    }
    if (response->status == 412) return exists(end);
  }
  return connection_.failure(end, *response);
}

void S3Upload::abort() {
  if (upload_id_.empty()) return;
  S3Call stop = call("abort", "DELETE");
  stop.query = {{"uploadId", upload_id_}};
  (void)connection_.send(stop);  // else the bucket's own rule removes the parts
  upload_id_.clear();
}

}  // namespace lakemill::storage
