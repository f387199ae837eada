#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "lakemill/base/random.h"
#include "lakemill/base/text.h"
#include "lakemill/sources/postgres/feed.h"
#include "lakemill/sources/postgres/postgres_source.h"

namespace lakemill::sources {

namespace {

namespace fs = std::filesystem;
constexpr const char* kLockFile = "lock";

// A path of letters that every store and file system takes.
std::string safe_name(const std::string& text) {
  std::string name;
  for (const char letter : text) {
    const bool plain =
        (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
        (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
    name += plain ? letter : '_';
  }
  return name;
}

}  // namespace

PostgresFeeds::PostgresFeeds(std::shared_ptr<storage::ObjectStore> store,
                             std::string folder, std::string spool_folder,
                             Resolve resolve)
    : store_(std::move(store)),
      folder_(std::move(folder)),
      spool_folder_(std::move(spool_folder)),
      resolve_(std::move(resolve)) {}

PostgresFeeds::~PostgresFeeds() {
  feeds_.clear();
  std::error_code ignored;
  if (!own_folder_.empty()) fs::remove_all(own_folder_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

std::string PostgresFeeds::temporary_folder() {
  std::error_code ignored;
  const fs::path temporary = fs::temp_directory_path(ignored);
  return (temporary / ("lakemill-spool-" + std::to_string(::getuid()))).string();
}

void PostgresFeeds::look_only() {
  looks_only_ = true;
  spool_folder_ = temporary_folder();
}

// Folders of processes that died: nobody holds their lock.
void PostgresFeeds::remove_left_spools() const {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(spool_folder_, ignored)) {
    const std::string path = (entry.path() / kLockFile).string();
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) continue;
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry.path(), ignored);
    ::close(file);
  }
}

Result<std::shared_ptr<postgres::PostgresFeed>> PostgresFeeds::feed_of(
    const PostgresConnection& connection) {
  const std::lock_guard lock(mutex_);
  const std::string key = connection.name + "/" + connection.slot;
  if (const auto found = feeds_.find(key); found != feeds_.end()) return found->second;
  LAKEMILL_TRY(const std::string uri, resolve_(connection.uri));
  LAKEMILL_TRY(auto info, postgres::ConnectionInfo::parse(uri, connection.uri));
  if (own_folder_.empty()) {
    remove_left_spools();
    SystemRandom random;
    const std::string folder = spool_folder_ + "/" + make_uuid(random);
    std::error_code failed;
    fs::create_directories(folder, failed);
    lock_ = ::open((folder + "/" + kLockFile).c_str(), O_RDWR | O_CREAT | O_CLOEXEC,
                   0600);
    if (lock_ < 0 || ::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      Error error(ErrorCode::denied, "cannot make a folder for changes at " + folder +
                                         ": " + std::strerror(errno));
      if (lock_ >= 0) ::close(std::exchange(lock_, -1));
      fs::remove_all(folder, failed);
      return error;
    }
    own_folder_ = folder;  // only now: whoever finds it set goes by its lock
  }
  const std::string name = safe_name(connection.name);
  postgres::FeedOptions options{.connection = std::move(info),
                                .slot = connection.slot,
                                .publication = connection.publication,
                                .create = connection.create,
                                .readers = {},
                                .store = store_,
                                .folder = folder_ + "/" + name + ".json",
                                .spool_folder = own_folder_ + "/" + name,
                                .follows = follows_,
                                .looks_only = looks_only_,
                                .confirms_each_batch = confirms_each_batch_,
                                .hear = hear_,
                                .stop = stop_};
  for (const PostgresTable& table : connection.tables) {
    options.readers.push_back({table.reader,
                               {table.schema, table.table},
                               table.snapshot != PostgresSnapshot::only,
                               table.has_row_bound});
  }
  auto feed = std::make_shared<postgres::PostgresFeed>(std::move(options));
  feeds_.emplace(key, feed);
  return feed;
}

}  // namespace lakemill::sources
