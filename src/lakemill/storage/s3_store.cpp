#include "lakemill/storage/s3_store.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <set>

#include "lakemill/base/hash.h"
#include "lakemill/base/text.h"
#include "lakemill/net/http_date.h"
#include "lakemill/net/uri.h"
#include "lakemill/storage/path.h"
#include "lakemill/storage/s3_upload.h"
#include "lakemill/storage/s3_xml.h"

namespace lakemill::storage {

namespace {

constexpr std::size_t kBatchMax = 1'000;  // S3's bound
constexpr int kParallelReads = 8;

bool is_success(const net::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string unquoted_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

// Both are in whole seconds, so that head and list agree.
std::int64_t http_time_ms(std::string_view text) {
  const auto time = net::parse_http_date(text);
  return time ? to_epoch_ms(*time) : 0;
}
std::int64_t iso_time_ms(std::string_view text) {
  const auto time = parse_instant(text);
  return time ? to_epoch_ms(*time) / 1000 * 1000 : 0;
}

ObjectInfo info_of(std::string_view path, const net::HttpResponse& response,
                   std::int64_t size) {
  return {.path = std::string(path),
          .size_bytes = size,
          .modified_ms = http_time_ms(response.header("last-modified")),
          .etag = unquoted_etag(response.header("etag"))};
}

/// One bucket: its connection, and what is known of it.
class Bucket {
 public:
  Bucket(std::string name, S3Options options, S3Services services)
      : name_(std::move(name)), connection_(std::move(options), std::move(services)) {}

  const std::string& name() const { return name_; }
  S3Connection& connection() { return connection_; }

  S3Call call(std::string_view activity, std::string method, std::string key) const {
    S3Call made;
    made.activity = activity;
    made.method = std::move(method);
    made.bucket = name_;
    made.key = std::move(key);
    return made;
  }

  /// Success if conditional writes are honoured; tried once, at `folder` (a prefix that
  /// is empty or ends in '/').
  Status check_conditional_writes(const std::string& folder);

 private:
  Status try_conditional_writes(const std::string& key);

  const std::string name_;
  S3Connection connection_;
  std::mutex mutex_;
  bool honours_conditions_ = false;  // guarded by mutex_
};

Status Bucket::check_conditional_writes(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  if (honours_conditions_) return {};
  const std::string key = folder + "_lakemill_probe-" + make_uuid(connection_.random());
  auto tried = try_conditional_writes(key);
  (void)connection_.send(call("remove", "DELETE", key));  // may not be allowed
  honours_conditions_ = tried.has_value();
  return tried;
}

Status Bucket::try_conditional_writes(const std::string& key) {
  S3Call write = call("write", "PUT", key);
  write.headers.push_back({"If-None-Match", "*"});
  for (const bool is_first : {true, false}) {
    write.body = is_first ? "1" : "2";
    LAKEMILL_TRY(const auto response, connection_.send(write));
    if (response.status == 412) return {};  // a repeated first one may be told so too
    const bool ignored = is_success(response) && !is_first;
    if (is_success(response) && !ignored) continue;
    if (!ignored && response.status != 501) return connection_.failure(write, response);
    return Error(ErrorCode::unsupported,
                 "s3://" + name_ +
                     ": this store does not honour conditional writes (If-None-Match: "
                     "*), so two writers could both win one commit; use a store that "
                     "does, or a newer version of it");
  }
  return {};
}

class S3Store final : public ObjectStore {
 public:
  S3Store(std::shared_ptr<Bucket> bucket, std::string url, std::string folder)
      : bucket_(std::move(bucket)), url_(std::move(url)), folder_(std::move(folder)) {}

  const std::string& url() const override { return url_; }
  int parallel_reads() const override { return kParallelReads; }

  Result<std::string> get(std::string_view path) override;
  Result<std::string> get_range(std::string_view path, std::int64_t offset,
                                std::int64_t size) override;
  Result<ObjectInfo> head(std::string_view path) override;
  Result<ObjectTail> tail(std::string_view path, std::int64_t size) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix,
                                       std::string_view start_after) override;
  Result<std::vector<std::string>> list_folders(std::string_view folder) override;
  Status put_if_absent(std::string_view path, std::string_view bytes) override;
  Status put(std::string_view path, std::string_view bytes) override;
  Result<std::unique_ptr<ObjectWriter>> create(std::string_view path) override;
  Status remove(std::string_view path) override;
  Status remove_all(std::span<const std::string> paths) override;

 private:
  S3Connection& connection() { return bucket_->connection(); }
  Result<std::string> key_of(std::string_view path) const {
    LAKEMILL_TRY_OK(check_object_path(path));
    return folder_ + std::string(path);
  }
  Result<S3Call> read_call(std::string_view path, std::string method) const {
    LAKEMILL_TRY(std::string key, key_of(path));
    return bucket_->call("read", std::move(method), std::move(key));
  }
  Result<S3Target> target_of(std::string_view path, bool if_absent) const {
    LAKEMILL_TRY(std::string key, key_of(path));
    return S3Target{bucket_->name(), std::move(key), if_absent};
  }
  template <typename Take>
  Status each_page(const std::string& prefix, QueryParameters query, Take take);
  Status remove_batch(std::span<const std::string> paths);

  std::shared_ptr<Bucket> bucket_;
  const std::string url_;
  const std::string folder_;  // "" or ends in '/'
};

/// An upload that keeps its bucket.
class BucketWriter final : public ObjectWriter {
 public:
  BucketWriter(std::shared_ptr<Bucket> bucket, S3Target target)
      : bucket_(std::move(bucket)), upload_(bucket_->connection(), std::move(target)) {}
  Status append(std::string_view bytes) override { return upload_.append(bytes); }
  Status finish() override { return upload_.finish(); }

 private:
  std::shared_ptr<Bucket> bucket_;
  S3Upload upload_;
};

Result<std::string> S3Store::get(std::string_view path) {
  LAKEMILL_TRY(const S3Call call, read_call(path, "GET"));
  LAKEMILL_TRY(auto response, connection().send(call));
  if (!is_success(response)) return connection().failure(call, response);
  return std::move(response.body);
}

Result<std::string> S3Store::get_range(std::string_view path, std::int64_t offset,
                                       std::int64_t size) {
  LAKEMILL_TRY(S3Call call, read_call(path, "GET"));
  if (offset < 0 || size < 0) {
    return Error(ErrorCode::invalid, "read " + s3_place(call) + ": a negative range");
  }
  if (size == 0) {
    LAKEMILL_TRY_OK(head(path));
    return std::string();
  }
  call.headers.push_back({"Range", "bytes=" + std::to_string(offset) + "-" +
                                       std::to_string(offset + size - 1)});
  LAKEMILL_TRY(auto response, connection().send(call));
  if (response.status == 416) return std::string();  // it begins behind the end
  if (!is_success(response)) return connection().failure(call, response);
  if (response.status != 206) {  // a server that reads no ranges
    if (offset >= std::ssize(response.body)) return std::string();
    return response.body.substr(static_cast<std::size_t>(offset),
                                static_cast<std::size_t>(size));
  }
  return std::move(response.body);
}

Result<ObjectInfo> S3Store::head(std::string_view path) {
  LAKEMILL_TRY(const S3Call call, read_call(path, "HEAD"));
  LAKEMILL_TRY(const auto response, connection().send(call));
  if (!is_success(response)) return connection().failure(call, response);
  return info_of(path, response, number_in(response.header("content-length")));
}

Result<ObjectTail> S3Store::tail(std::string_view path, std::int64_t size) {
  LAKEMILL_TRY(S3Call call, read_call(path, "GET"));
  call.headers.push_back({"Range", "bytes=-" + std::to_string(size)});
  LAKEMILL_TRY(auto response, connection().send(call));
  if (response.status == 416) {  // an empty object has no last bytes
    LAKEMILL_TRY(ObjectInfo info, head(path));
    return ObjectTail{std::move(info), ""};
  }
  if (!is_success(response)) return connection().failure(call, response);
  std::int64_t whole_size = std::ssize(response.body);
  if (response.status == 206) {  // "bytes 90-99/100"
    const std::string_view range = response.header("content-range");
    const std::size_t slash = range.rfind('/');
    if (slash != std::string_view::npos)
      whole_size = number_in(range.substr(slash + 1));
  }
  return ObjectTail{info_of(path, response, whole_size), std::move(response.body)};
}

// Calls take(<the page's XML>, <how its names are decoded>) for every page of a list.
template <typename Take>
Status S3Store::each_page(const std::string& prefix, QueryParameters query, Take take) {
  query.insert(query.end(),
               {{"list-type", "2"},
                {"prefix", prefix},
                {"encoding-type", "url"},
                {"max-keys", std::to_string(connection().options().list_page_max)}});
  std::string token;
  while (true) {
    S3Call call = bucket_->call("list", "GET", "");
    call.prefix = prefix;
    call.query = query;
    if (!token.empty()) call.query.push_back({"continuation-token", token});
    LAKEMILL_TRY(const auto response, connection().send(call));
    if (!is_success(response)) return connection().failure(call, response);
    auto page = parse_xml(response.body);
    if (!page) return std::move(page).error().while_doing("list " + s3_place(call));
    const bool escaped = page->child_text("EncodingType") == "url";
    take(*page, [escaped](const std::string& name) {
      return escaped ? net::unescape(name, true) : name;
    });
    if (page->child_text("IsTruncated") != "true") return {};
    const std::string next = page->child_text("NextContinuationToken");
    if (next.empty() || next == token) {
      return Error(ErrorCode::corrupt, "list " + s3_place(call) +
                                           ": a page that does not say how to go on");
    }
    token = next;
  }
}

Result<std::vector<ObjectInfo>> S3Store::list(std::string_view prefix,
                                              std::string_view start_after) {
  LAKEMILL_TRY_OK(check_object_path(std::string(prefix) + "x"));
  QueryParameters query;
  if (!start_after.empty()) {
    query.push_back({"start-after", folder_ + std::string(start_after)});
  }
  std::vector<ObjectInfo> found;
  LAKEMILL_TRY_OK(each_page(
      folder_ + std::string(prefix), std::move(query),
      [&](const XmlElement& page, const auto& decoded) {
        for (const XmlElement& item : page.children) {
          if (item.name != "Contents") continue;
          std::string key = decoded(item.child_text("Key"));
          if (!key.starts_with(folder_)) continue;
          key.erase(0, folder_.size());
          // Others mark folders by keys that end in '/': no objects of ours.
          if (!check_object_path(key) || key <= start_after) continue;
          found.push_back({.path = std::move(key),
                           .size_bytes = number_in(item.child_text("Size")),
                           .modified_ms = iso_time_ms(item.child_text("LastModified")),
                           .etag = unquoted_etag(item.child_text("ETag"))});
        }
      }));
  std::sort(found.begin(), found.end(),
            [](const auto& left, const auto& right) { return left.path < right.path; });
  return found;
}

Result<std::vector<std::string>> S3Store::list_folders(std::string_view folder) {
  if (!folder.empty()) LAKEMILL_TRY_OK(check_object_path(folder));
  const std::string prefix =
      folder_ + (folder.empty() ? "" : std::string(folder) + "/");
  std::set<std::string> names;
  LAKEMILL_TRY_OK(each_page(
      prefix, {{"delimiter", "/"}}, [&](const XmlElement& page, const auto& decoded) {
        for (const XmlElement& item : page.children) {
          if (item.name != "CommonPrefixes") continue;
          std::string name = decoded(item.child_text("Prefix"));
          if (!name.starts_with(prefix) || !name.ends_with('/')) continue;
          name = name.substr(prefix.size(), name.size() - prefix.size() - 1);
          if (check_object_path(name)) names.insert(std::move(name));
        }
      }));
  return std::vector<std::string>(names.begin(), names.end());
}

Status S3Store::put_if_absent(std::string_view path, std::string_view bytes) {
  LAKEMILL_TRY(S3Target target, target_of(path, true));
  LAKEMILL_TRY_OK(bucket_->check_conditional_writes(folder_));
  if (std::ssize(bytes) <= connection().options().single_put_max_bytes) {
    return put_object(connection(), target, bytes);
  }
  S3Upload upload(connection(), std::move(target));
  LAKEMILL_TRY_OK(upload.append(bytes));
  return upload.finish();
}

Status S3Store::put(std::string_view path, std::string_view bytes) {
  LAKEMILL_TRY(S3Target target, target_of(path, false));
  S3Upload upload(connection(), std::move(target));
  LAKEMILL_TRY_OK(upload.append(bytes));
  return upload.finish();
}

Result<std::unique_ptr<ObjectWriter>> S3Store::create(std::string_view path) {
  LAKEMILL_TRY(S3Target target, target_of(path, false));
  return std::unique_ptr<ObjectWriter>(
      std::make_unique<BucketWriter>(bucket_, std::move(target)));
}

Status S3Store::remove(std::string_view path) {
  LAKEMILL_TRY(std::string key, key_of(path));
  const S3Call call = bucket_->call("remove", "DELETE", std::move(key));
  LAKEMILL_TRY(const auto response, connection().send(call));
  const bool absent =
      response.status == 404 && s3_error_code(response) != "NoSuchBucket";
  if (is_success(response) || absent) return {};
  return connection().failure(call, response);
}

Status S3Store::remove_all(std::span<const std::string> paths) {
  while (!paths.empty()) {
    const auto batch = paths.first(std::min(paths.size(), kBatchMax));
    LAKEMILL_TRY_OK(remove_batch(batch));
    paths = paths.subspan(batch.size());
  }
  return {};
}

Status S3Store::remove_batch(std::span<const std::string> paths) {
  std::string body = "<Delete><Quiet>true</Quiet>";
  for (const std::string& path : paths) {
    LAKEMILL_TRY(const std::string key, key_of(path));
    const bool is_control = std::any_of(key.begin(), key.end(), [](char letter) {
      return static_cast<unsigned char>(letter) < 0x20;
    });
    if (is_control) {  // XML cannot hold it
      LAKEMILL_TRY_OK(remove(path));
    } else {
      body += "<Object><Key>" + escape_xml(key) + "</Key></Object>";
    }
  }
  if (!body.ends_with("</Object>")) return {};
  body += "</Delete>";
  S3Call call = bucket_->call("remove", "POST", "");
  call.query = {{"delete", ""}};
  call.headers.push_back({"Content-MD5", md5_base64(body)});
  call.body = body;
  LAKEMILL_TRY(const auto response, connection().send(call));
  if (!is_success(response)) return connection().failure(call, response);
  LAKEMILL_TRY(const XmlElement read, parse_xml(response.body));
  const XmlElement* failed = read.find("Error");
  if (failed == nullptr || failed->child_text("Code") == "NoSuchKey") return {};
  return Error(failed->child_text("Code") == "AccessDenied" ? ErrorCode::denied
                                                            : ErrorCode::unavailable,
               "remove s3://" + bucket_->name() + "/" + failed->child_text("Key") +
                   ": " + failed->child_text("Code") + " " +
                   failed->child_text("Message"));
}

// The rules of Amazon, with the capitals and underscores that old buckets have.
bool can_be_bucket(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char letter) {
           return (letter >= 'a' && letter <= 'z') ||
                  (letter >= 'A' && letter <= 'Z') ||
                  (letter >= '0' && letter <= '9') || letter == '.' || letter == '-' ||
                  letter == '_';
         });
}

class S3Provider final : public StoreProvider {
 public:
  S3Provider(S3OptionsOf options_of, S3Services services)
      : options_of_(std::move(options_of)), services_(std::move(services)) {}

  Result<std::shared_ptr<ObjectStore>> open(std::string_view url) override {
    const std::string normal = normalize_path(url);
    const std::size_t name_begin = normal.find("://") + 3;
    const std::size_t name_end = normal.find('/', name_begin);
    const std::string name = normal.substr(name_begin, name_end - name_begin);
    if (!can_be_bucket(name)) {
      return Error(ErrorCode::invalid, "\"" + std::string(url) +
                                           "\" names no bucket; write "
                                           "s3://bucket/folder");
    }
    if (url.find('\0') != std::string_view::npos) {
      return Error(ErrorCode::invalid, "a path holds a zero byte");
    }
    LAKEMILL_TRY(auto bucket, bucket_of(name));
    std::string folder =
        name_end == std::string::npos ? "" : normal.substr(name_end + 1) + "/";
    return std::shared_ptr<ObjectStore>(
        std::make_shared<S3Store>(std::move(bucket), normal, std::move(folder)));
  }

 private:
  Result<std::shared_ptr<Bucket>> bucket_of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    auto found = buckets_.find(name);
    if (found == buckets_.end()) {
      LAKEMILL_TRY(S3Options options, options_of_(name));
      found = buckets_
                  .emplace(name, std::make_shared<Bucket>(name, std::move(options),
                                                          services_))
                  .first;
    }
    return found->second;
  }

  const S3OptionsOf options_of_;
  const S3Services services_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Bucket>> buckets_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<StoreProvider> make_s3_provider(S3OptionsOf options_of,
                                                S3Services services) {
  return std::make_unique<S3Provider>(std::move(options_of), std::move(services));
}

}  // namespace lakemill::storage
