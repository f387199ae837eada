#include "lakemill/sources/postgres/initial_snapshot.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <thread>

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/formats/text_rows.h"
#include "lakemill/sources/postgres/copy_text.h"

namespace lakemill::sources::postgres {

namespace {

constexpr std::size_t kBlockBytes = 4 << 20;
constexpr std::int64_t kFileBytes = 128 << 20;
constexpr std::size_t kNumberSize = 12;

std::string number_text(std::int64_t number) {
  std::string text = std::to_string(number);
  return std::string(kNumberSize - std::min(kNumberSize, text.size()), '0') + text;
}

// The number of the snapshot that an object of this name belongs to; nothing for names
// that are not ours.
std::optional<std::int64_t> number_of(std::string_view name) {
  const bool ours = name.size() > kNumberSize &&
                    (name[kNumberSize] == '.' || name[kNumberSize] == '/');
  if (!ours) return std::nullopt;
  std::int64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + kNumberSize, number);
  const bool whole =
      read.ec == std::errc() && read.ptr == name.data() + kNumberSize && number >= 0;
  return whole ? std::optional(number) : std::nullopt;
}

std::string manifest_path(const std::string& folder, std::int64_t number) {
  return folder + "/" + number_text(number) + ".json";
}

std::string taken_path(const std::string& folder, std::int64_t number) {
  return folder + "/" + number_text(number) + ".taken";
}

bool contains(const std::vector<storage::ObjectInfo>& objects,
              const std::string& path) {
  return std::any_of(objects.begin(), objects.end(),
                     [&](const auto& object) { return object.path == path; });
}

// Whether an object is rows of a snapshot that is in the table.
bool is_taken_row(const std::vector<storage::ObjectInfo>& objects,
                  const std::string& folder, std::string_view path) {
  const std::string_view name = path.substr(folder.size() + 1);
  const auto number = number_of(name);
  return number && name[kNumberSize] == '/' &&
         contains(objects, taken_path(folder, *number));
}

// The ranges of a table, read by as many connections as may.
class Staging {
 public:
  Staging(PostgresFeed& feed, const SharedSnapshot& snapshot,
          storage::ObjectStore& store, std::string folder)
      : feed_(feed), snapshot_(snapshot), store_(store), folder_(std::move(folder)) {
    std::vector<std::string> columns;
    for (const auto& column : snapshot.table.columns) {
      columns.push_back(column.name);
    }
    columns_ = quoted_list(columns);
  }

  Result<std::vector<SnapshotFile>> run(int parallelism) {
    tell(PostgresNews::Kind::snapshot_started);
    const int workers = std::clamp<int>(
        parallelism, 1,
        static_cast<int>(std::max<std::size_t>(1, snapshot_.table.ranges.size())));
    {
      std::vector<std::jthread> threads;
      for (int i = 1; i < workers; ++i) {
        threads.emplace_back([this, i] { read_on_own_connection(i); });
      }
      note(read_ranges(*snapshot_.connection, 0));
    }
    if (failed_) return *failed_;
    std::sort(files_.begin(), files_.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    tell(PostgresNews::Kind::snapshot_finished);
    return std::move(files_);
  }

 private:
  void tell(PostgresNews::Kind kind) {
    feed_.tell({kind, snapshot_.reader, "", {{"rows", rows_.load()}}});
  }

  void note(const Status& status) {
    if (status) return;
    const std::lock_guard lock(mutex_);
    if (!failed_) failed_ = status.error();
    next_range_ = snapshot_.table.ranges.size();
  }

  void read_on_own_connection(int worker) {
    auto connection = feed_.connect(ConnectionPurpose::queries);
    if (!connection) return note(connection.error());
    for (const std::string& statement :
         {std::string("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"),
          "SET TRANSACTION SNAPSHOT " + quote_literal(snapshot_.name)}) {
      const auto done = (*connection)->execute(statement);
      if (!done) return note(done);
    }
    note(read_ranges(**connection, worker));
  }

  Status read_ranges(Connection& connection, int worker) {
    Output output;
    output.worker = worker;
    while (true) {
      const std::size_t at = next_range_.fetch_add(1);
      if (at >= snapshot_.table.ranges.size()) break;
      const TableRange& range = snapshot_.table.ranges[at];
      const std::string sql = "COPY (SELECT " + columns_ + " FROM ONLY " + range.table +
                              (range.where.empty() ? "" : " WHERE " + range.where) +
                              ") TO STDOUT";
      LAKEMILL_TRY_OK(connection.copy_out(
          sql, [&](std::string_view line) { return add(output, line); }));
    }
    return close(output);
  }

  struct Output {
    int worker = 0;
    int files = 0;
    std::unique_ptr<storage::ObjectWriter> writer;
    SnapshotFile file;
    std::string block;
    std::string row;
  };

  Status add(Output& output, std::string_view line) {
    const auto index = std::min<std::uint64_t>(rows_.fetch_add(1), 0xFFFF'FFFFU);
    formats::append_text(
        output.block,
        change_offset(snapshot_.start.from, static_cast<std::uint32_t>(index)));
    LAKEMILL_TRY_OK(append_copied_row(line, snapshot_.layout, output.block));
    ++output.file.rows;
    if (output.block.size() < kBlockBytes) return {};
    return write_block(output);
  }

  Status write_block(Output& output) {
    if (output.block.empty()) return {};
    if (output.writer == nullptr) {
      output.file.path = folder_ + "/rows-" + number_text(output.worker) + "-" +
                         number_text(output.files++);
      LAKEMILL_TRY(output.writer, store_.create(output.file.path));
    }
    LAKEMILL_TRY_OK(output.writer->append(output.block));
    output.file.blocks.push_back(static_cast<std::int64_t>(output.block.size()));
    output.block.clear();
    return output.file.size_bytes() < kFileBytes ? Status() : finish_file(output);
  }

  Status finish_file(Output& output) {
    LAKEMILL_TRY_OK(output.writer->finish());
    output.writer.reset();
    {
      const std::lock_guard lock(mutex_);
      files_.push_back(std::move(output.file));
    }
    output.file = {};
    tell(PostgresNews::Kind::snapshot_progressed);
    return {};
  }

  Status close(Output& output) {
    LAKEMILL_TRY_OK(write_block(output));
    return output.writer == nullptr ? Status() : finish_file(output);
  }

  PostgresFeed& feed_;
  const SharedSnapshot& snapshot_;
  storage::ObjectStore& store_;
  const std::string folder_;
  std::string columns_;
  std::atomic<std::size_t> next_range_{0};
  std::atomic<std::uint64_t> rows_{0};
  std::mutex mutex_;
  std::vector<SnapshotFile> files_;  // guarded by mutex_
  std::optional<Error> failed_;      // likewise
};

Json to_json(const StagedSnapshot& snapshot) {
  Json files = Json::array();
  for (const SnapshotFile& file : snapshot.files) {
    files.push_back(
        {{"path", file.path}, {"rows", file.rows}, {"blocks", file.blocks}});
  }
  data::Schema schema;
  for (const LayoutColumn& column : snapshot.layout.columns) {
    schema.fields.push_back(
        {column.name, column.type, true, {{"source", column.source_name}}});
  }
  return {{"from", to_hex(snapshot.start.from)},
          {"system", snapshot.start.server.system},
          {"timeline", snapshot.start.server.timeline},
          {"snapshot", to_json(snapshot.seen)},
          {"columns", data::to_delta_json(schema)},
          {"files", std::move(files)}};
}

Error damaged(const std::string& path) {
  return Error(ErrorCode::corrupt,
               "the staged snapshot " + path +
                   " was altered and cannot be read; restore the state folder, or drop "
                   "the bronze table to take a new snapshot");
}

Result<StagedSnapshot> snapshot_from(const Json& json, const std::string& path) {
  StagedSnapshot snapshot;
  const auto from = parse_hex(string_member(json, "from", ""));
  const Json* seen = find_member(json, "snapshot");
  const Json* columns = find_member(json, "columns");
  const Json* files = find_member(json, "files");
  if (!from || seen == nullptr || columns == nullptr || files == nullptr ||
      !files->is_array()) {
    return damaged(path);
  }
  snapshot.start.from = *from;
  snapshot.start.server.system = string_member(json, "system", "");
  snapshot.start.server.timeline = integer_member(json, "timeline", 0);
  LAKEMILL_TRY(snapshot.seen, visibility_from_json(*seen));
  LAKEMILL_TRY(const data::Schema schema, data::schema_from_delta_json(*columns));
  for (const data::Field& field : schema.fields) {
    snapshot.layout.columns.push_back(
        {string_member(field.metadata, "source", field.name), field.name, field.type});
  }
  for (const Json& item : *files) {
    SnapshotFile file;
    file.path = string_member(item, "path", "");
    file.rows = integer_member(item, "rows", 0);
    const Json* blocks = find_member(item, "blocks");
    if (file.path.empty() || blocks == nullptr || !blocks->is_array()) {
      return damaged(path);
    }
    for (const Json& size : *blocks) {
      if (!size.is_number_integer() || size.get<std::int64_t>() < 0) {
        return damaged(path);
      }
      file.blocks.push_back(size.get<std::int64_t>());
    }
    snapshot.files.push_back(std::move(file));
  }
  return snapshot;
}

Result<StagedSnapshot> read_manifest(storage::ObjectStore& store,
                                     const std::string& folder, std::int64_t number) {
  const std::string path = manifest_path(folder, number);
  LAKEMILL_TRY(const std::string text, store.get(path));
  const auto json = parse_json(text);
  if (!json) return damaged(path);
  LAKEMILL_TRY(StagedSnapshot snapshot, snapshot_from(*json, path));
  snapshot.number = number;
  return snapshot;
}

}  // namespace

std::int64_t SnapshotFile::size_bytes() const {
  std::int64_t size = 0;
  for (const std::int64_t block : blocks) size += block;
  return size;
}

Result<StagedSnapshot> stage_snapshot(PostgresFeed& feed, SharedSnapshot snapshot,
                                      storage::ObjectStore& store,
                                      const std::string& folder, int parallelism) {
  LAKEMILL_TRY(const auto before, store.list(folder + "/", ""));
  std::int64_t number = 1;
  for (const auto& object : before) {
    const auto used =
        number_of(std::string_view(object.path).substr(folder.size() + 1));
    if (!used) continue;
    number = std::max<std::int64_t>(number, *used + 1);
    // Of a process that died while it staged, or while it removed.
    const bool is_left = !contains(before, manifest_path(folder, *used)) ||
                         is_taken_row(before, folder, object.path);
    if (is_left) LAKEMILL_TRY_OK(store.remove(object.path));
  }
  const std::string rows_folder = folder + "/" + number_text(number);
  StagedSnapshot staged;
  staged.number = number;
  staged.start = snapshot.start;
  staged.seen = snapshot.seen;
  staged.layout = snapshot.layout;
  LAKEMILL_TRY(staged.files,
               Staging(feed, snapshot, store, rows_folder).run(parallelism));
  LAKEMILL_TRY_OK(
      store.put_if_absent(manifest_path(folder, number), json_text(to_json(staged))));
  return staged;
}

Result<StagedSnapshot> load_snapshot(storage::ObjectStore& store,
                                     const std::string& folder, std::int64_t number,
                                     std::int64_t files) {
  LAKEMILL_TRY(StagedSnapshot snapshot, read_manifest(store, folder, number));
  const auto found = static_cast<std::int64_t>(snapshot.files.size());
  if (found == files) return snapshot;
  return Error(ErrorCode::corrupt,
               "the staged snapshot " + manifest_path(folder, number) + " lists " +
                   std::to_string(found) + " files, but a batch was planned of " +
                   std::to_string(files) +
                   "; restore the state folder, or drop the bronze table to take a new "
                   "snapshot");
}

Result<std::optional<StagedSnapshot>> find_snapshot(storage::ObjectStore& store,
                                                    const std::string& folder) {
  LAKEMILL_TRY(const auto objects, store.list(folder + "/", ""));
  std::optional<std::int64_t> newest;
  for (const auto& object : objects) {
    const auto number =
        number_of(std::string_view(object.path).substr(folder.size() + 1));
    if (!number || object.path != manifest_path(folder, *number)) continue;
    if (!contains(objects, taken_path(folder, *number))) newest = number;
  }
  if (!newest) return std::optional<StagedSnapshot>();
  LAKEMILL_TRY(auto snapshot, read_manifest(store, folder, *newest));
  return std::optional(std::move(snapshot));
}

Status forget_rows(storage::ObjectStore& store, const std::string& folder,
                   std::int64_t number) {
  LAKEMILL_TRY(auto objects, store.list(folder + "/", ""));
  const std::string taken = taken_path(folder, number);
  if (contains(objects, manifest_path(folder, number)) && !contains(objects, taken)) {
    LAKEMILL_TRY_OK(store.put(taken, "{}"));
    objects.emplace_back().path = taken;
  }
  for (const auto& object : objects) {
    if (!is_taken_row(objects, folder, object.path)) continue;
    LAKEMILL_TRY_OK(store.remove(object.path));
  }
  return {};
}

}  // namespace lakemill::sources::postgres
