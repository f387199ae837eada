#include "lakemill/sinks/file_sink.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <functional>
#include <utility>

#include "lakemill/base/text.h"

namespace lakemill::sinks {
namespace {

constexpr std::int64_t kCopyPieceBytes = 8 << 20;
/// How names of files begin that are not there yet: hidden, so that readers leave them
/// out. Not storage's own prefix, whose files no list shows.
constexpr std::string_view kStagedPrefix = ".lakemill-staged-";
/// How names of marks begin, hidden too: "<mark><name of a batch file>" says that what
/// the flow in its content had written up to there counts as that flow's.
constexpr std::string_view kTakenOverPrefix = ".lakemill-adopted-";
constexpr std::string_view kTakenOverSuffix = ".mark";  // patterns see hidden files too

std::string extension_of(engine::FileFormat format) {
  switch (format) {
    case engine::FileFormat::csv:
      return "csv";
    case engine::FileFormat::json:
      return "json";
    case engine::FileFormat::jsonl:
      return "jsonl";
    case engine::FileFormat::parquet:
      return "parquet";
    case engine::FileFormat::text:
    case engine::FileFormat::binaryfile:
      break;
  }
  return "txt";
}

/// A flow's id as part of a file name: "lakemill:p/f" is "p.f"; what may not stand in a
/// name is "~" and two hex digits, so that two flows never share one.
std::string file_name_of(std::string_view app_id) {
  constexpr std::string_view kPrefix = "lakemill:";
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (app_id.starts_with(kPrefix)) app_id.remove_prefix(kPrefix.size());
  std::string name;
  for (const char letter : app_id) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0 || letter == '_') {
      name += letter;
    } else if (letter == '/') {
      name += '.';
    } else {
      name += '~';
      name += kDigits[byte >> 4U];
      name += kDigits[byte & 15U];
    }
  }
  return name;
}

constexpr std::size_t kNumberDigits = 10;

/// A file of a folder_of_batches: "<flow>-g<generation>-<N, ten digits>.<extension>".
struct BatchFile {
  std::int64_t generation = 0;
  std::int64_t number = 0;
};

std::string name_of(std::string_view app_id, BatchFile file,
                    engine::FileFormat format) {
  std::string number = std::to_string(file.number);
  number.insert(0, kNumberDigits - std::min(kNumberDigits, number.size()), '0');
  return file_name_of(app_id) + "-g" + std::to_string(file.generation) + "-" + number +
         "." + extension_of(format);
}

std::optional<std::int64_t> number_at(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && length < 18 &&
         std::isdigit(static_cast<unsigned char>(text[length])) != 0) {
    ++length;
  }
  if (length == 0) return std::nullopt;
  const std::int64_t number =
      std::strtoll(std::string(text.substr(0, length)).c_str(), nullptr, 10);
  text.remove_prefix(length);
  return number;
}

/// The flow's part of a batch file's name, and what is behind it; nothing for names
/// that are none. A flow's part holds no '-'.
std::optional<std::pair<std::string_view, BatchFile>> parse_batch_name(
    std::string_view name) {
  const std::size_t mark = name.find("-g");
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view flow = name.substr(0, mark);
  name.remove_prefix(mark + 2);
  const auto generation = number_at(name);
  if (!generation || !name.starts_with("-")) return std::nullopt;
  name.remove_prefix(1);
  const std::size_t before = name.size();
  const auto number = number_at(name);
  const bool as_written = before - name.size() >= kNumberDigits;
  if (!number || !as_written || !name.starts_with(".")) return std::nullopt;
  return std::pair(flow, BatchFile{*generation, *number});
}

std::optional<BatchFile> batch_of(std::string_view name, std::string_view app_id) {
  const auto parsed = parse_batch_name(name);
  if (!parsed || parsed->first != file_name_of(app_id)) return std::nullopt;
  return parsed->second;
}

/// The flow that wrote a batch file, "pipeline/node"; empty for other files.
std::string flow_of(std::string_view name) {
  const auto parsed = parse_batch_name(name);
  if (!parsed || parsed->first.find('/') != std::string_view::npos) return "";
  const std::size_t dot = parsed->first.find('.');
  if (dot == 0 || dot == std::string_view::npos) return "";  // hidden, or of no flow
  std::string flow(parsed->first);
  flow[dot] = '/';
  return flow;
}

/// Makes an object appear under another name, whole, if `before_visible` still allows
/// it at the last moment. Errors: exists (another runner was first, and removed
/// `from`).
Status move_object(storage::ObjectStore& store, const std::string& from,
                   const std::string& to,
                   const std::function<Status()>& before_visible) {
  const auto gone = [&](Error error) {
    if (error.code() != ErrorCode::not_found) return error;
    return Error(ErrorCode::exists, "another runner wrote " + store.url() + "/" + to +
                                        " meanwhile: run again");
  };
  const auto info = store.head(from);
  if (!info) return gone(info.error());
  LAKEMILL_TRY(const std::unique_ptr<storage::ObjectWriter> writer, store.create(to));
  for (std::int64_t at = 0; at < info->size_bytes; at += kCopyPieceBytes) {
    const auto piece = store.get_range(from, at, kCopyPieceBytes);
    if (!piece) return gone(piece.error());
    LAKEMILL_TRY_OK(writer->append(*piece));
  }
  if (before_visible) LAKEMILL_TRY_OK(before_visible());
  LAKEMILL_TRY_OK(writer->finish());
  return store.remove(from);
}

class FileSink final : public Sink {
 public:
  FileSink(FileSinkSpec spec, SinkServices services)
      : spec_(std::move(spec)), services_(services) {
    if (spec_.kind == FileSinkKind::single) {
      const std::size_t slash = spec_.url.find_last_of('/');
      folder_ = slash == std::string::npos ? "" : spec_.url.substr(0, slash);
      if (folder_.empty()) folder_ = "/";
      name_ = slash == std::string::npos ? spec_.url : spec_.url.substr(slash + 1);
    } else {
      folder_ = spec_.url;
    }
  }

  Result<std::optional<std::int64_t>> last_batch(std::string_view app_id) override {
    if (spec_.kind == FileSinkKind::single) return std::optional<std::int64_t>();
    LAKEMILL_TRY(const auto newest, newest_of(app_id));
    if (!newest) {
      LAKEMILL_TRY_OK(check_owner());
      return std::optional<std::int64_t>();
    }
    return std::optional(newest->is_whole ? newest->version : newest->version - 1);
  }

  Result<std::optional<std::int64_t>> begun_batch(std::string_view app_id) override {
    if (spec_.kind == FileSinkKind::single) return std::optional<std::int64_t>();
    LAKEMILL_TRY(const auto newest, newest_of(app_id));
    return newest ? std::optional(newest->version) : std::nullopt;
  }

  Result<std::int64_t> take_over(engine::Session& /*session*/,
                                 const Batch& batch) override {
    LAKEMILL_TRY(const auto own, last_batch(batch.app_id));
    if (own || spec_.adopt_app_id.empty()) return std::int64_t{-1};
    LAKEMILL_TRY(const auto held, last_batch(spec_.adopt_app_id));
    if (!held) return std::int64_t{-1};
    const std::string name =
        name_of(batch.app_id, {*held >> 32, *held & 0xFFFFFFFF}, spec_.format);
    const auto put = store_->put_if_absent(
        std::string(kTakenOverPrefix) + name + std::string(kTakenOverSuffix),
        spec_.adopt_app_id);
    if (!put && put.error().code() != ErrorCode::exists) return put.error();
    return std::int64_t{-1};
  }

  Result<engine::WriteTarget> stage(const data::Schema& /*schema*/,
                                    const Batch& batch) override {
    LAKEMILL_TRY_OK(open());
    staged_ = staged_prefix(batch) + std::to_string(batch.transaction_version) + "-" +
              std::to_string(services_.random.next());
    return engine::WriteTarget(
        engine::FileTarget{store_->url() + "/" + staged_, spec_.format, spec_.options});
  }

  Result<SinkResult> commit(engine::Session& session,
                            const engine::WriteResult& written,
                            const Batch& batch) override;

 private:
  struct Newest {
    std::int64_t version = 0;
    /// False while files of an earlier generation stand beside it: a full refresh has
    /// not removed them all, so that its batch must be committed again.
    bool is_whole = true;
  };

  Result<std::optional<Newest>> newest_of(std::string_view app_id) {
    std::optional<std::int64_t> newest;
    std::int64_t oldest_generation = 0;
    for (const std::string_view prefix : {std::string_view(), kTakenOverPrefix}) {
      LAKEMILL_TRY(const auto files, batches(app_id, prefix));
      for (const auto& [path, file] : files) {
        const std::int64_t version = (file.generation << 32) + file.number;
        oldest_generation =
            newest ? std::min(oldest_generation, file.generation) : file.generation;
        newest = newest ? std::max(*newest, version) : version;
      }
    }
    if (!newest) return std::optional<Newest>();
    return std::optional(Newest{*newest, oldest_generation == *newest >> 32});
  }

  // A folder with nothing of this flow must not hold what another one wrote, or a
  // table.
  Status check_owner() {
    if (spec_.shared || !spec_.adopt_app_id.empty()) return {};
    LAKEMILL_TRY(const auto objects, store_->list("", ""));
    for (const storage::ObjectInfo& object : objects) {
      if (object.path.starts_with("_delta_log/")) {
        return Error(ErrorCode::invalid,
                     "the folder " + spec_.url +
                         " holds a Delta table: write format: DELTA, "
                         "or name another folder");
      }
      const std::string flow = flow_of(object.path);
      if (flow.empty()) continue;
      return Error(ErrorCode::invalid,
                   "the folder " + spec_.url + " holds files of flow " + flow +
                       ": name another folder, set shared: true on the sinks of both, "
                       "or take it over with run --adopt " +
                       flow);
    }
    return {};
  }

  Status open() {
    if (store_ == nullptr) {
      LAKEMILL_TRY(store_, services_.stores.open(folder_));
    }
    return {};
  }

  std::string final_name(const Batch& batch) const {
    if (spec_.kind == FileSinkKind::single) return name_;
    return name_of(batch.app_id, {batch.generation, batch.number}, spec_.format);
  }

  // Of this flow and file: behind it comes what tells runners apart, so that two of one
  // batch never write to the same object.
  std::string staged_prefix(const Batch& batch) const {
    const std::string flow = file_name_of(batch.app_id);
    return std::string(kStagedPrefix) +
           (spec_.kind == FileSinkKind::single ? name_ + "-" : "") + flow + "-";
  }

  // What runners of this batch or earlier ones left when they died. One that only stood
  // still finds that another one was first.
  Status remove_staged(const Batch& batch) {
    const std::string prefix = staged_prefix(batch);
    LAKEMILL_TRY(const auto objects, store_->list(prefix, ""));
    std::vector<std::string> old;
    for (const storage::ObjectInfo& object : objects) {
      std::string_view rest = std::string_view(object.path).substr(prefix.size());
      const auto version = number_at(rest);
      if (version && *version <= batch.transaction_version) old.push_back(object.path);
    }
    return store_->remove_all(old);
  }

  // Files whose names are `prefix` and that of a batch file.
  Result<std::vector<std::pair<std::string, BatchFile>>> batches(
      std::string_view app_id, std::string_view prefix) {
    LAKEMILL_TRY_OK(open());
    LAKEMILL_TRY(const auto objects,
                 store_->list(std::string(prefix) + file_name_of(app_id) + "-g", ""));
    std::vector<std::pair<std::string, BatchFile>> files;
    for (const storage::ObjectInfo& object : objects) {
      const std::string_view name = std::string_view(object.path).substr(prefix.size());
      if (const auto file = batch_of(name, app_id)) {
        files.emplace_back(object.path, *file);
      }
    }
    return files;
  }

  // A full refresh begins a generation: what earlier ones wrote goes.
  Status remove_before(const std::string& app_id, std::int64_t generation) {
    LAKEMILL_TRY(const auto marks, batches(app_id, kTakenOverPrefix));
    for (const auto& [path, mark] : marks) {
      if (mark.generation >= generation) continue;
      LAKEMILL_TRY(const std::string flow, store_->get(path));
      LAKEMILL_TRY_OK(remove_before(flow, generation));
      LAKEMILL_TRY_OK(store_->remove(path));
    }
    LAKEMILL_TRY(const auto files, batches(app_id, ""));
    for (const auto& [path, file] : files) {
      if (file.generation < generation) LAKEMILL_TRY_OK(store_->remove(path));
    }
    return {};
  }

  FileSinkSpec spec_;
  SinkServices services_;
  std::string folder_;
  std::string name_;    // of a single file
  std::string staged_;  // what stage() named
  std::shared_ptr<storage::ObjectStore> store_;
};

Result<SinkResult> FileSink::commit(engine::Session& /*session*/,
                                    const engine::WriteResult& written,
                                    const Batch& batch) {
  LAKEMILL_TRY_OK(open());
  SinkResult result;
  LAKEMILL_TRY(const auto last, last_batch(batch.app_id));
  if (last && *last >= batch.transaction_version) {
    result.already_held = true;
  } else {
    auto moved = move_object(*store_, staged_, final_name(batch), batch.before_visible);
    if (!moved && moved.error().code() == ErrorCode::exists) {
      (void)store_->remove(staged_);  // best effort: the next batch removes it too
    }
    LAKEMILL_TRY_OK(moved);
    result.rows_added = written.written_rows;
  }
  LAKEMILL_TRY_OK(remove_staged(batch));
  if (spec_.kind == FileSinkKind::folder_of_batches) {
    LAKEMILL_TRY_OK(remove_before(batch.app_id, batch.generation));
  }
  return result;
}

}  // namespace

std::unique_ptr<Sink> make_file_sink(FileSinkSpec spec, SinkServices services) {
  return std::make_unique<FileSink>(std::move(spec), services);
}

bool is_batch_file(std::string_view name, engine::FileFormat format) {
  return !flow_of(name).empty() && name.ends_with("." + extension_of(format));
}

}  // namespace lakemill::sinks
