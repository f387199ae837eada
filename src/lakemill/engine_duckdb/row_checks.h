#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <duckdb.hpp>
#include <duckdb/common/types/column/column_data_collection.hpp>

#include "lakemill/engine/write_spec.h"

namespace lakemill::engine_duckdb {

/// What one run of a query over row checks counted and put aside.
///
/// The query reads `lakemill_check_rows((SELECT columns…, check…))`: a table in-out
/// function that takes the columns and, after them, one BOOLEAN per check; it passes
/// the rows that are kept, counts, and spools those that are quarantined, in the same
/// pass, in parallel. Afterwards `lakemill_quarantined_rows()` gives the spool: the
/// columns and the BOOLEAN of each check that quarantines.
///
/// A null counts as failed. A row that fails both a check that drops and one that
/// quarantines is quarantined. kept + dropped + quarantined = input.
///
/// Thread-safety: DuckDB's threads add to it at the same time; its results are read
/// after the query has ended.
class RowCheckRun {
 public:
  /// `rows_done` (may be null) is raised as rows come in.
  RowCheckRun(std::vector<engine::OnFail> checks, std::atomic<std::int64_t>* rows_done);

  std::int64_t input_rows() const { return input_rows_.load(); }
  std::int64_t kept_rows() const { return kept_rows_.load(); }
  std::int64_t dropped_rows() const;
  std::int64_t quarantined_rows() const { return quarantined_rows_.load(); }
  std::vector<std::int64_t> failed_rows() const;

  const std::vector<engine::OnFail>& checks() const { return checks_; }

  // For the table functions.
  struct Verdicts;
  void judge(duckdb::Vector* predicates, duckdb::idx_t count, Verdicts& verdicts);
  duckdb::ColumnDataCollection& add_spool(
      duckdb::ClientContext& context, const duckdb::vector<duckdb::LogicalType>& types);
  /// The parts of all threads as one; null if no thread spooled.
  duckdb::ColumnDataCollection* united_spool();
  void set_spool_columns(duckdb::vector<std::string> names,
                         duckdb::vector<duckdb::LogicalType> types);
  const duckdb::vector<std::string>& spool_names() const { return spool_names_; }
  const duckdb::vector<duckdb::LogicalType>& spool_types() const {
    return spool_types_;
  }

 private:
  std::vector<engine::OnFail> checks_;
  std::atomic<std::int64_t>* rows_done_;
  std::atomic<std::int64_t> input_rows_ = 0;
  std::atomic<std::int64_t> kept_rows_ = 0;
  std::atomic<std::int64_t> quarantined_rows_ = 0;
  std::vector<std::atomic<std::int64_t>> failed_rows_;
  duckdb::vector<std::string> spool_names_;
  duckdb::vector<duckdb::LogicalType> spool_types_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<duckdb::ColumnDataCollection>> spools_;  // under mutex_
};

/// Makes `run` the one that the table functions use in this connection, until this
/// object ends. Both must outlive the statements that use them.
class ActiveRowChecks {
 public:
  ActiveRowChecks(duckdb::Connection& connection, RowCheckRun& run);
  ~ActiveRowChecks();
  ActiveRowChecks(const ActiveRowChecks&) = delete;
  ActiveRowChecks& operator=(const ActiveRowChecks&) = delete;

 private:
  duckdb::Connection& connection_;
};

}  // namespace lakemill::engine_duckdb
