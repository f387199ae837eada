// Goal: SCD 1 and SCD 2 give the same table for every arrival order of the same
// changes, in one batch or in many, repeated or not. Method: random changes of a few
// keys, cut into random batches in random order, some delivered again; after the last
// batch the table is compared with what an oracle makes of all changes at once. The
// oracle is plain C++ over the rows, with nothing of the merge in it. The seed is
// printed and repeats a case: LAKEMILL_SEED=n. Targets are plain, partitioned, with
// mapped columns, with and without deletion vectors, and get a wider type on the way;
// what a sink says before a commit is compared with what the commit then makes.

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "sink_fixture.h"

namespace lakemill::sinks {
namespace {

using Cell = std::optional<int>;

struct Change {
  Cell key;
  Cell sequence;
  bool is_delete = false;
  bool is_truncate = false;
  Cell a;
  Cell b;
  Cell nested;             // s.x
  bool has_struct = true;  // s is not null
  auto operator<=>(const Change&) const = default;
};

struct Case {
  ChangeOptions options;
  bool sequence_in_target = true;
  bool with_ties = false;
  bool with_truncates = false;
  // How the target is laid out: none of it may matter.
  std::vector<std::string> partition_by;
  std::map<std::string, std::string> properties;
  bool widened = false;  ///< `a` is a SMALLINT in the first batches
  std::vector<Change> changes;
};

std::string text(const Cell& cell) { return cell ? std::to_string(*cell) : "NULL"; }

std::string literal(const Cell& cell) {
  return cell ? std::to_string(*cell) : "CAST(NULL AS INTEGER)";
}

std::string sql_of(const std::vector<Change>& changes, bool narrow) {
  std::string rows;
  for (const Change& change : changes) {
    if (!rows.empty()) rows += ", ";
    rows += "(" + literal(change.key) + ", " + literal(change.sequence) + ", " +
            (change.is_delete ? "true" : "CAST(NULL AS BOOLEAN)") + ", " +
            (change.is_truncate ? "true" : "false") + ", " + literal(change.a) + ", " +
            literal(change.b) + ", " +
            (change.has_struct ? "{'x': " + literal(change.nested) + "}"
                               : "CAST(NULL AS STRUCT(x INTEGER))") +
            ")";
  }
  return std::string("SELECT *") +
         (narrow ? " REPLACE (CAST(a AS SMALLINT) AS a)" : "") + " FROM (VALUES " +
         rows + ") AS t(k, seq, gone, cut, a, b, s)";
}

/// Of different upserts at one sequence the engine keeps the one with the greatest row
/// hash, which the oracle cannot know: with ties, it is told which one by the table.
class Oracle {
 public:
  explicit Oracle(const Case& test) : test_(test) {
    for (const Change& change : test.changes) {
      if (!change.sequence) continue;
      if (change.is_truncate) {
        if (!truncated_ || *truncated_ < *change.sequence) {
          truncated_ = change.sequence;
        }
        continue;
      }
      if (!change.key && !test.options.null_equals_null) continue;
      history_[change.key][*change.sequence].insert(change);
    }
  }

  /// Rows as "k|seq|a|b|s" and, with SCD 2, "|start|end"; with SOFT, "|flag".
  std::vector<std::string> rows() const {
    std::vector<std::string> all;
    for (const auto& [key, by_sequence] : history_) {
      if (test_.options.scd_type == 2) {
        intervals(by_sequence, all);
      } else {
        row(by_sequence, all);
      }
    }
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  using Sequences = std::map<int, std::set<Change>>;

  static bool has_delete(const std::set<Change>& changes) {
    return std::any_of(changes.begin(), changes.end(),
                       [](const Change& change) { return change.is_delete; });
  }

  std::string text_of(const Change& change, int sequence) const {
    std::string line = text(change.key);
    if (test_.sequence_in_target) line += "|" + std::to_string(sequence);
    line += "|" + text(change.a) + "|" + text(change.b) + "|";
    return line + (change.has_struct ? "x" + text(change.nested) : "none");
  }

  void fold(const Change& change, std::optional<Change>& held) const {
    if (!held || !test_.options.ignore_null_updates) {
      held = change;
      return;
    }
    if (change.a) held->a = change.a;
    if (change.b) held->b = change.b;
    if (change.has_struct && change.nested) held->nested = change.nested;
    held->has_struct = held->has_struct || change.has_struct;
  }

  void row(const Sequences& by_sequence, std::vector<std::string>& all) const {
    // Where deleted rows stay, a delete comes after the upsert at its sequence.
    const bool keeps_tied = test_.options.delete_mode == DeleteMode::soft;
    std::optional<Change> held;
    bool ended = false;
    int sequence = 0;
    for (const auto& [at, changes] : by_sequence) {
      if (truncated_ && held && sequence <= *truncated_ && at > *truncated_) {
        ended = true;
      }
      const bool has_upsert =
          std::any_of(changes.begin(), changes.end(),
                      [](const Change& change) { return !change.is_delete; });
      if (has_delete(changes) && !(keeps_tied && has_upsert)) {
        ended = ended || held.has_value();
        continue;
      }
      if (ended ||
          (held && truncated_ && at > *truncated_ && sequence <= *truncated_)) {
        held.reset();
      }
      ended = false;
      fold(*std::find_if(changes.begin(), changes.end(),
                         [](const Change& change) { return !change.is_delete; }),
           held);
      sequence = at;
      ended = has_delete(changes);
    }
    if (!held) return;
    if (truncated_ && sequence <= *truncated_) ended = true;
    if (test_.options.delete_mode == DeleteMode::soft) {
      all.push_back(text_of(*held, sequence) + (ended ? "|true" : "|false"));
    } else if (!ended) {
      all.push_back(text_of(*held, sequence));
    }
  }

  bool same_tracked(const Change& left, const Change& right) const {
    if (!test_.options.track_history_columns.empty()) return left.a == right.a;
    return left.a == right.a && left.b == right.b &&
           left.has_struct == right.has_struct &&
           (!left.has_struct || left.nested == right.nested);
  }

  void intervals(const Sequences& by_sequence, std::vector<std::string>& all) const {
    std::optional<Change> held;
    int start = 0;
    int sequence = 0;
    const auto close = [&](const std::string& end) {
      if (held) {
        all.push_back(text_of(*held, sequence) + "|" + std::to_string(start) + "|" +
                      end);
      }
    };
    for (const auto& [at, changes] : by_sequence) {
      if (has_delete(changes)) {
        close(std::to_string(at));
        held.reset();
        continue;
      }
      std::optional<Change> next = held;
      fold(*changes.begin(), next);
      if (!held || !same_tracked(*held, *next)) {
        close(std::to_string(at));
        start = at;
      }
      held = next;
      sequence = at;
    }
    close("NULL");
  }

  const Case& test_;
  std::map<Cell, Sequences> history_;
  Cell truncated_;
};

int pick(std::mt19937_64& random, int count) {
  return static_cast<int>(random() % static_cast<std::uint64_t>(count));
}

Case random_case(std::mt19937_64& random, int scd_type) {
  Case test;
  test.options.primary_keys = {"k"};
  test.options.order_by = {"seq"};
  test.options.delete_where = "gone";
  test.options.exclude_columns = {"gone", "cut"};
  test.options.scd_type = scd_type;
  test.options.ignore_null_updates = pick(random, 3) == 0;
  test.options.null_equals_null = pick(random, 4) == 0;
  if (scd_type == 1) {
    test.sequence_in_target = pick(random, 2) == 0;
    test.with_truncates = pick(random, 4) == 0;
    if (test.with_truncates) test.options.truncate_where = "cut";
    if (pick(random, 4) == 0) test.options.delete_mode = DeleteMode::soft;
  } else if (pick(random, 2) == 0) {
    test.options.track_history_columns = {"a"};
  }
  if (!test.sequence_in_target) test.options.exclude_columns.push_back("seq");

  const std::vector<std::vector<std::string>> partitions = {{}, {}, {"b"}, {"k"}};
  test.partition_by = partitions[static_cast<std::size_t>(pick(random, 4))];
  if (pick(random, 3) == 0) test.properties["delta.columnMapping.mode"] = "name";
  if (pick(random, 2) == 0) test.properties["delta.enableDeletionVectors"] = "false";
  test.widened = pick(random, 3) == 0;
  if (test.widened) test.properties["delta.enableTypeWidening"] = "true";

  const int keys = 1 + pick(random, 4);
  const int changes = 1 + pick(random, 14);
  std::set<std::pair<Cell, int>> used;
  for (int i = 0; i < changes; ++i) {
    Change change;
    if (pick(random, 10) != 0) change.key = pick(random, keys);
    const int sequence = pick(random, 12);
    if (pick(random, 15) != 0) change.sequence = sequence;
    change.is_delete = pick(random, 4) == 0;
    change.is_truncate = test.with_truncates && pick(random, 8) == 0;
    if (change.is_truncate) change.is_delete = false;
    if (pick(random, 3) != 0) change.a = pick(random, 3);
    if (pick(random, 3) != 0) change.b = pick(random, 3);
    change.has_struct = pick(random, 4) != 0;
    if (change.has_struct && pick(random, 3) != 0) change.nested = pick(random, 3);
    // Different upserts at one sequence are another test's; a delete may meet one.
    if (change.sequence && !change.is_truncate && !change.is_delete &&
        !used.insert({change.key, sequence}).second) {
      continue;
    }
    test.changes.push_back(change);
  }
  return test;
}

/// Changes in random order, some twice, cut into random batches.
std::vector<std::vector<Change>> deliveries(std::mt19937_64& random,
                                            std::vector<Change> changes) {
  const std::size_t count = changes.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (pick(random, 4) == 0) changes.push_back(changes[i]);
  }
  std::shuffle(changes.begin(), changes.end(), random);
  std::vector<std::vector<Change>> batches(1);
  for (const Change& change : changes) {
    if (!batches.back().empty() && pick(random, 5) == 0) batches.emplace_back();
    batches.back().push_back(change);
  }
  return batches;
}

std::string select_of(const Case& test) {
  std::string columns = "k";
  if (test.sequence_in_target) columns += ", seq";
  columns +=
      ", a, b, CASE WHEN s IS NULL THEN 'none' ELSE 'x' || coalesce(CAST(s.x AS "
      "VARCHAR), 'NULL') END";
  if (test.options.scd_type == 2) columns += ", __start_at, __end_at";
  if (test.options.delete_mode == DeleteMode::soft) columns += ", _deleted";
  return "SELECT " + columns + " FROM target";
}

std::uint64_t first_seed() {
  const char* given = std::getenv("LAKEMILL_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

int case_count() {
  if (std::getenv("LAKEMILL_SEED") != nullptr) return 1;
  const char* given = std::getenv("LAKEMILL_CASES");
  return given != nullptr ? std::atoi(given) : 1000;
}

void check_case(std::uint64_t seed, int scd_type) {
  std::mt19937_64 random(seed * 2 + static_cast<std::uint64_t>(scd_type));
  Case test = random_case(random, scd_type);
  if (test.changes.empty()) return;
  const std::string url = world().fresh_url();
  test.options.state_url = url + "_state";
  test.options.rejected_url = url + "_rejected";
  TableSinkSpec spec;
  spec.url = url;
  spec.name = "target";
  spec.mode = WriteMode::merge;
  spec.changes = test.options;
  spec.partition_by = test.partition_by;
  spec.properties = test.properties;
  const auto sink = make_table_sink(spec, world().services());
  std::int64_t number = 0;
  std::int64_t rejected = 0;
  std::string story;
  std::vector<Change> delivered;
  for (const std::vector<Change>& batch : deliveries(random, test.changes)) {
    const std::string sql = sql_of(batch, test.widened && number < 2);
    story += "\n  " + sql;
    // Now and then the table is asked for before it is committed.
    const bool previews = pick(random, 3) == 0;
    std::vector<std::string> previewed;
    const auto result = previews
                            ? world().put_previewed(*sink, sql, world().batch(number++),
                                                    select_of(test), previewed)
                            : world().put(*sink, sql, world().batch(number++));
    ASSERT_THAT(result, testkit::IsOk()) << "LAKEMILL_SEED=" << seed << story;
    if (previews) {
      std::vector<std::string> held = world().rows(url, select_of(test));
      std::sort(held.begin(), held.end());
      std::sort(previewed.begin(), previewed.end());
      ASSERT_EQ(previewed, held) << "LAKEMILL_SEED=" << seed << story;
    }
    rejected += result->rows_rejected;
    delivered.insert(delivered.end(), batch.begin(), batch.end());
  }
  const auto is_bad = [&](const Change& change) {
    return !change.sequence ||
           (!change.is_truncate && !change.key && !test.options.null_equals_null);
  };
  EXPECT_EQ(rejected, std::count_if(delivered.begin(), delivered.end(), is_bad))
      << "LAKEMILL_SEED=" << seed;
  std::vector<std::string> rows = world().rows(url, select_of(test));
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, Oracle(test).rows())
      << "LAKEMILL_SEED=" << seed << " nulls kept " << test.options.ignore_null_updates
      << " soft " << (test.options.delete_mode == DeleteMode::soft)
      << " sequence in target " << test.sequence_in_target << story;
}

void check_cases(int scd_type) {
  const std::uint64_t first = first_seed();
  for (int i = 0; i < case_count(); ++i) {
    check_case(first + static_cast<std::uint64_t>(i), scd_type);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(ChangeProperty, Scd1IsTheSameForEveryOrderOfArrival) { check_cases(1); }

TEST(ChangeProperty, Scd2IsTheSameForEveryOrderOfArrival) { check_cases(2); }

}  // namespace
}  // namespace lakemill::sinks
