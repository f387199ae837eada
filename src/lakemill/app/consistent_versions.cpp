#include "lakemill/app/consistent_versions.h"

#include <algorithm>
#include <limits>
#include <set>

#include "lakemill/delta/row_changes.h"
#include "lakemill/flow/workspace.h"
#include "lakemill/sources/postgres/lsn.h"

namespace lakemill::app {

namespace {

using sources::postgres::Lsn;

constexpr std::size_t kCommitsMax = 1'000'000;
constexpr Lsn kEndless = std::numeric_limits<Lsn>::max();

// What a table holds at one version, by its commits up to there.
struct Moment {
  std::int64_t version = 0;
  bool changes_rows = true;
  std::map<std::string, std::int64_t> read;  // id of a table → its version
  std::string log;                           // of a server that it reads, or empty
  Lsn lsn = 0;                               // it shows changes up to it
  Lsn complete = 0;                          // and all of every source up to it
  bool reads_several = false;                // sources of the server
};

struct PositionedTable {
  std::string name;
  std::string node;  // that writes it
  std::string id;
  std::shared_ptr<delta::Table> table;
  std::vector<Moment> moments;  // in the order of versions
  std::size_t at = 0;
  bool wanted = false;  // the query reads it, or what it reads is derived from it
  std::vector<std::string> relations;
  Lsn released = 0;  // nothing is left for it up to there, at its newest version

  const Moment& now() const { return moments[at]; }
  bool is_newest() const { return at + 1 == moments.size(); }
};

bool changes_rows(const std::string& operation) {
  static const std::set<std::string> kQuiet = {"OPTIMIZE", "SET TBLPROPERTIES",
                                               "VACUUM START", "VACUUM END"};
  return !kQuiet.contains(operation);
}

// Adds what a commit's plan says of the offsets that it covers.
void take_offsets(const Json& commit_info, Moment& moment) {
  const Json* ours = find_member(commit_info, "lakemill");
  const Json* plan = ours == nullptr ? nullptr : find_member(*ours, "plan_content");
  const Json* slices = plan == nullptr ? nullptr : find_member(*plan, "sources");
  if (slices == nullptr || !slices->is_array()) return;
  bool is_first = true;
  for (const Json& slice : *slices) {
    const Json* to = find_member(slice, "to");
    if (to == nullptr) continue;
    const std::string id = string_member(*to, "table", "");
    if (!id.empty()) moment.read[id] = integer_member(*to, "version", -1);
    const auto lsn = sources::postgres::parse_hex(string_member(*to, "lsn", ""));
    if (!lsn) continue;
    const std::string log = string_member(*to, "system", "") + "/" +
                            std::to_string(integer_member(*to, "timeline", 0));
    moment.reads_several = !is_first && log == moment.log;
    moment.lsn = moment.reads_several ? std::max(moment.lsn, *lsn) : *lsn;
    moment.complete = moment.reads_several ? std::min(moment.complete, *lsn) : *lsn;
    moment.log = log;
    is_first = false;
  }
}

Result<std::vector<Moment>> moments_of(delta::Table& table) {
  LAKEMILL_TRY(auto history, table.history(kCommitsMax));
  std::reverse(history.begin(), history.end());
  std::vector<Moment> moments;
  for (const delta::HistoryEntry& entry : history) {
    Moment moment = moments.empty() ? Moment() : moments.back();
    moment.version = entry.version;
    moment.changes_rows = changes_rows(entry.operation);
    take_offsets(entry.commit_info, moment);
    moments.push_back(std::move(moment));
  }
  return moments;
}

// The smallest position of a row that a commit added, by the statistics of its files.
Lsn first_lsn(delta::Table& table, std::int64_t version) {
  const auto commits = table.commits(version, version);
  if (!commits) return 0;
  Lsn first = kEndless;
  for (const delta::Action& action : commits->front().actions) {
    const auto* add = std::get_if<delta::AddFile>(&action);
    if (add == nullptr) continue;
    const auto stats = parse_json(add->stats);
    const Json* lowest = stats ? find_member(*stats, "minValues") : nullptr;
    const std::string offset =
        lowest == nullptr ? "" : string_member(*lowest, "_source_offset", "");
    const auto lsn = sources::postgres::parse_hex(offset.substr(0, offset.find('/')));
    first = std::min(first, lsn.value_or(0));
  }
  return first;
}

// The tables of pipelines, on their way to a common position.
class CommonPosition {
 public:
  explicit CommonPosition(Workbench& workbench) : workbench_(workbench) {}

  Result<std::map<std::string, std::int64_t>> find(
      const std::vector<std::string>& relations) {
    for (const language::Pipeline& pipeline : workbench_.pipelines()) {
      LAKEMILL_TRY_OK(add_tables(pipeline));
    }
    LAKEMILL_TRY_OK(mark(relations));
    LAKEMILL_TRY_OK(load_wanted());
    bool moved = true;
    while (moved) {
      moved = false;
      for (PositionedTable& table : tables_) {
        if (!table.wanted) continue;
        LAKEMILL_TRY(const bool lowered, follow_reads(table));
        moved = moved || lowered;
      }
      LAKEMILL_TRY(const bool lowered, follow_servers());
      moved = moved || lowered;
    }
    std::map<std::string, std::int64_t> versions;
    for (const PositionedTable& table : tables_) {
      for (const std::string& relation : table.relations) {
        versions[relation] = table.now().version;
      }
    }
    return versions;
  }

 private:
  Status add_tables(const language::Pipeline& pipeline) {
    LAKEMILL_TRY(const flow::Workspace workspace, workbench_.workspace(pipeline));
    const auto released = released_positions(workspace);
    for (const language::Node& node : pipeline.nodes) {
      if (node.is_view()) continue;
      for (const language::Sink& sink : node.sinks) {
        if (sink.is_view()) continue;
        LAKEMILL_TRY(const flow::Place place, flow::place_of(workspace, node, sink));
        if (!place.is_delta || by_url_.contains(place.url)) continue;
        LAKEMILL_TRY(const auto opened, flow::open_table(workspace, place));
        const auto snapshot = opened->latest();
        if (!snapshot) {
          if (snapshot.error().code() == ErrorCode::not_found) continue;
          return snapshot.error();
        }
        PositionedTable table;
        table.name = place.name;
        table.node = node.name;
        table.id = (*snapshot)->metadata().id;
        table.table = opened;
        if (const auto found = released.find(node.name); found != released.end()) {
          table.released = found->second;
        }
        by_url_[place.url] = tables_.size();
        by_id_[table.id] = tables_.size();
        tables_.push_back(std::move(table));
      }
    }
    return {};
  }

  // Up to where the server's log holds nothing more for a node.
  static std::map<std::string, Lsn> released_positions(
      const flow::Workspace& workspace) {
    std::map<std::string, Lsn> released;
    storage::ObjectStore& store = *workspace.state_store;
    const auto files = store.list(workspace.state_folder + "/_connections/", "");
    if (!files) return released;
    for (const auto& file : *files) {
      const auto text = store.get(file.path);
      const auto json = text ? parse_json(*text) : Result<Json>(Json());
      const Json* readers = json ? find_member(*json, "readers") : nullptr;
      if (readers == nullptr || !readers->is_object()) continue;
      for (const auto& [reader, position] : readers->items()) {
        const auto lsn =
            sources::postgres::parse_hex(string_member(position, "released", ""));
        if (!lsn || *lsn == 0) continue;
        // What is committed at that very position may be waiting; for any of the
        // node's readers.
        const auto [entry, is_new] =
            released.emplace(reader.substr(0, reader.find('/')), *lsn - 1);
        if (!is_new) entry->second = std::min(entry->second, *lsn - 1);
      }
    }
    return released;
  }

  Status mark(const std::vector<std::string>& relations) {
    bool any = false;
    for (const std::string& relation : relations) {
      std::string url = relation;
      if (const auto name = workbench_.catalog().resolve(relation)) {
        url = workbench_.catalog().url_of(*name);
      }
      auto found = by_url_.find(url);
      if (found == by_url_.end()) found = by_url_.find(relation);
      if (found == by_url_.end()) continue;
      tables_[found->second].wanted = true;
      tables_[found->second].relations.push_back(relation);
      any = true;
    }
    if (any) return {};
    return Error(ErrorCode::invalid,
                 "--consistent: the query reads no table that a pipeline writes, so "
                 "there is no source position to read it at");
  }

  // The tables that the query reads, and all that they are derived from.
  Status load_wanted() {
    bool more = true;
    while (more) {
      more = false;
      for (PositionedTable& table : tables_) {
        if (!table.wanted || !table.moments.empty()) continue;
        LAKEMILL_TRY(table.moments, moments_of(*table.table));
        if (table.moments.empty()) {
          return Error(ErrorCode::not_found, "table " + table.name + " has no history");
        }
        table.at = table.moments.size() - 1;
        for (const Moment& moment : table.moments) {
          for (const auto& [id, version] : moment.read) {
            const auto found = by_id_.find(id);
            if (found != by_id_.end()) tables_[found->second].wanted = true;
          }
        }
        more = true;
      }
    }
    return {};
  }

  static Status lower(PositionedTable& table, const std::string& because) {
    if (table.at > 0) {
      --table.at;
      return {};
    }
    return Error(ErrorCode::not_found,
                 "the tables have no common source position: table " + table.name +
                     " would have to be read before version " +
                     std::to_string(table.now().version) +
                     ", the oldest of its log, because " + because +
                     "; run the pipeline until it has caught up");
  }

  // What a table has read of another must be what that other one shows.
  Result<bool> follow_reads(PositionedTable& table) {
    bool moved = false;
    for (const auto& [id, read] : std::map(table.now().read)) {
      const auto found = by_id_.find(id);
      if (found == by_id_.end()) continue;
      PositionedTable& upstream = tables_[found->second];
      const std::string because = "table " + table.name + " has read table " +
                                  upstream.name + " up to its version " +
                                  std::to_string(read);
      if (read > upstream.now().version) {
        LAKEMILL_TRY_OK(lower(table, because));
        return true;
      }
      while (read < upstream.now().version &&
             delta::may_have_changed(*upstream.table, read, upstream.now().version)) {
        LAKEMILL_TRY_OK(lower(upstream, because));
        moved = true;
      }
    }
    return moved;
  }

  // The last position up to which a table has all of its server's changes.
  static Lsn complete_to(const PositionedTable& table) {
    const Moment& now = table.now();
    if (table.is_newest()) return std::max(now.complete, table.released);
    // What comes next of one source tells nothing of the others.
    if (now.reads_several) return now.complete;
    for (std::size_t i = table.at + 1; i < table.moments.size(); ++i) {
      if (!table.moments[i].changes_rows) continue;
      const Lsn next = first_lsn(*table.table, table.moments[i].version);
      return next == 0 || next == kEndless ? now.lsn : std::max(now.lsn, next - 1);
    }
    return std::max(now.lsn, table.released);
  }

  // Tables of one server's log show what was committed there up to one position.
  Result<bool> follow_servers() {
    std::map<std::string, Lsn> common;
    for (const PositionedTable& table : tables_) {
      if (!table.wanted || table.now().log.empty()) continue;
      const auto [entry, first] = common.emplace(table.now().log, kEndless);
      entry->second = std::min(entry->second, complete_to(table));
    }
    for (PositionedTable& table : tables_) {
      if (!table.wanted || table.now().log.empty()) continue;
      const Lsn position = common.at(table.now().log);
      if (table.now().lsn <= position) continue;
      LAKEMILL_TRY_OK(lower(table,
                            "another table of the same server is complete only "
                            "up to position " +
                                sources::postgres::to_text(position)));
      return true;
    }
    return false;
  }

  Workbench& workbench_;
  std::vector<PositionedTable> tables_;
  std::map<std::string, std::size_t> by_url_;
  std::map<std::string, std::size_t> by_id_;
};

}  // namespace

Result<std::map<std::string, std::int64_t>> consistent_versions(
    Workbench& workbench, const std::vector<std::string>& relations) {
  return CommonPosition(workbench).find(relations);
}

}  // namespace lakemill::app
