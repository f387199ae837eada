#include <set>

#include "lakemill/delta/deletion_vector.h"
#include "lakemill/delta/file_statistics.h"
#include "lakemill/delta/statistics_writer.h"
#include "lakemill/delta/transaction.h"

namespace lakemill::delta {

namespace {

struct Removal {
  const AddFile* file;
  DeletionVector vector;  // what was deleted before, too
  std::int64_t record_count;
};

Result<DeletionVector> vector_of(Table& table, const AddFile& file) {
  if (!file.deletion_vector) return DeletionVector();
  return read_deletion_vector(table.store(), *file.deletion_vector);
}

Result<Removal> make_removal(Table& table, const AddFile& file,
                             const std::vector<std::uint64_t>& rows) {
  const auto records = record_count(file.stats);
  if (!records) {
    return Error(ErrorCode::unsupported,
                 "file '" + file.path +
                     "' has no numRecords in its statistics, which a deletion vector "
                     "needs: rewrite the file instead");
  }
  for (const std::uint64_t row : rows) {
    if (row >= static_cast<std::uint64_t>(*records)) {
      return Error(ErrorCode::invalid, "row " + std::to_string(row) +
                                           " is not in file '" + file.path + "' of " +
                                           std::to_string(*records) + " rows");
    }
  }
  LAKEMILL_TRY(const DeletionVector before, vector_of(table, file));
  return Removal{&file, before.united_with(DeletionVector::of(rows)), *records};
}

AddFile with_vector(const Removal& removal, DeletionVectorDescriptor descriptor) {
  AddFile file = *removal.file;
  file.data_change = true;
  file.deletion_vector = std::move(descriptor);
  file.stats = with_wide_bounds(file.stats);
  return file;
}

Error missing_file(const Snapshot& base,
                   const std::map<std::string, std::vector<std::uint64_t>>& rows) {
  std::set<std::string> missing;
  for (const auto& [path, positions] : rows) missing.insert(path);
  for (const AddFile& file : base.files()) missing.erase(file.path);
  return {ErrorCode::invalid, "file '" + *missing.begin() + "' is not in version " +
                                  std::to_string(base.version())};
}

}  // namespace

Result<std::vector<Action>> delete_rows(
    Table& table, const Snapshot& base,
    const std::map<std::string, std::vector<std::uint64_t>>& rows, Clock& clock,
    Random& random) {
  std::vector<Removal> removals;
  std::size_t found_count = 0;
  for (const AddFile& file : base.files()) {
    const auto found = rows.find(file.path);
    if (found == rows.end()) continue;
    ++found_count;
    if (found->second.empty()) continue;
    LAKEMILL_TRY(Removal removal, make_removal(table, file, found->second));
    const auto before = file.deletion_vector ? file.deletion_vector->cardinality : 0;
    if (removal.vector.count() == static_cast<std::uint64_t>(before)) continue;
    removals.push_back(std::move(removal));
  }
  if (found_count != rows.size()) return missing_file(base, rows);
  std::vector<Action> actions;
  DeletionVectorWriter writer(table.store(), random);
  for (const Removal& removal : removals) {
    RemoveFile remove = removal_of(*removal.file);
    remove.deletion_timestamp_ms = to_epoch_ms(clock.now());
    actions.emplace_back(std::move(remove));
    if (removal.vector.count() == static_cast<std::uint64_t>(removal.record_count)) {
      continue;
    }
    actions.emplace_back(with_vector(removal, writer.add(removal.vector)));
  }
  LAKEMILL_TRY_OK(writer.finish());
  return actions;
}

}  // namespace lakemill::delta
