#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lakemill/base/json.h"
#include "lakemill/storage/object_store.h"

namespace lakemill::sources {

/// One file as it was when it was first seen.
struct Arrival {
  std::int64_t number = 0;  ///< from 1, without gaps
  std::string url;
  std::int64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  std::string etag;
  /// The arrival of the same file that this one stands for, as no batch read that one:
  /// the file changed, or went and came back, before. 0: none.
  std::int64_t instead_of = 0;
};

/// Numbers of arrivals.
using ArrivalNumbers = std::set<std::int64_t>;

/// From where an arrival log names files, so that what was moved with them keeps them
/// known: folders that are absolute, or empty. The log follows links in them.
struct FileBase {
  std::string folder;  ///< files below it have their path from there
  std::string
      root;  ///< above `folder`, or equal: so have files below this one ("../x")
};

/// The files that one source has seen, numbered in the order in which they were seen:
/// what makes a folder a log.
///
/// On disk: objects `<folder>/<number of the first arrival, 12 digits>.json`, each one
/// discovery, written with put-if-absent: of two processes that number at the same time
/// one wins, the other reads what it wrote. `checkpoint.json` repeats them up to some
/// arrival, to be read in their place; without it the log is slower, not less.
/// Not thread-safe; any number of processes may share a log.
class ArrivalLog {
 public:
  /// `folder` is relative to the root of `store`.
  ArrivalLog(std::shared_ptr<storage::ObjectStore> store, std::string folder,
             FileBase base);

  /// Reads what others have numbered since, and writes nothing.
  /// Errors: corrupt, denied, unavailable.
  Status refresh();

  /// Numbers what of `files` is new, by modification time, then path: files without an
  /// arrival, and those of which every arrival is `unread`. With `changed_are_new`, a
  /// file whose size, time or etag differs from its last arrival is new too.
  /// Errors: denied, unavailable.
  Status add(const std::vector<storage::ObjectInfo>& files, bool changed_are_new,
             const ArrivalNumbers& unread);

  std::int64_t last() const { return static_cast<std::int64_t>(arrivals_.size()); }

  /// The arrivals `from` + 1 .. `to`. Both in 0..last().
  std::vector<Arrival> between(std::int64_t from, std::int64_t to) const;

  /// Stands for arrivals 1 .. `to`, each as it was, in their order: a log that was lost
  /// and made anew has another. `to` in 0..last().
  std::string digest(std::int64_t to) const;

  /// The digest that arrivals 1 .. `to` would have if the files without an arrival were
  /// numbered now; empty if there were fewer. Writes nothing.
  std::string digest_with(const std::vector<storage::ObjectInfo>& files,
                          std::int64_t to) const;

  /// The last arrival of that file, or null.
  const Arrival* find(const std::string& url) const;

  /// True for the first one, of all processes, that asks for that arrival: that its
  /// file was lost is told once. Also true where nothing can be written.
  bool is_first_to_tell(std::int64_t number);
  /// The same of an arrival whose file is now `now`: of each change once.
  bool is_first_to_tell(std::int64_t number, const storage::ObjectInfo& now);

  /// True if that arrival, and each that it stands for, is `unread`.
  bool never_read(std::int64_t number, const ArrivalNumbers& unread) const;

 private:
  std::string kept_path(const std::string& url) const;
  std::string full_url(const std::string& kept) const;
  Status open();
  Status read_next(bool& found);
  Status check_no_gap();
  std::vector<storage::ObjectInfo> fresh_of(
      const std::vector<storage::ObjectInfo>& files, bool changed_are_new,
      const ArrivalNumbers& unread) const;
  Status append(const Json& list);
  void load_checkpoint();
  void write_checkpoint();
  bool is_first(const std::string& told);
  Error damaged() const;

  std::shared_ptr<storage::ObjectStore> store_;
  std::string folder_;
  FileBase base_;
  bool is_open_ = false;
  int objects_since_checkpoint_ = 0;
  std::vector<Arrival> arrivals_;
  std::vector<std::string> digests_;  // of each arrival with all before it
  std::map<std::string, std::size_t> newest_by_url_;
  std::set<std::string> told_;  // by this object, or asked for by it
};

/// True if the file is not what it was when it arrived.
bool differs(const Arrival& arrival, const storage::ObjectInfo& now);

}  // namespace lakemill::sources
