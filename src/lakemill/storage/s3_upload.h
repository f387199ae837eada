#pragma once

#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "lakemill/storage/object_store.h"
#include "lakemill/storage/s3_connection.h"

namespace lakemill::storage {

/// What an object is written for: where, and whether only if nothing is there.
struct S3Target {
  std::string bucket;
  std::string key;
  bool if_absent = false;
};

/// Writes an object in one request. A conditional write marks it with an id of its own
/// and looks for that where the answer was lost or is "something is there": so a
/// request that was received twice counts once. Errors: as ObjectStore's put and
/// put_if_absent.
Status put_object(S3Connection& connection, const S3Target& target,
                  std::string_view bytes);

/// Writes an object of any size: a short one in one request, a longer one as an upload
/// of parts, of which one is on its way while the next is collected. Two parts are held
/// in memory; the first thousand are of the configured size, each further thousand is
/// twice as large. An upload that is not finished is aborted.
///
/// Not thread-safe. Borrows `connection`.
class S3Upload final : public ObjectWriter {
 public:
  S3Upload(S3Connection& connection, S3Target target);
  ~S3Upload() override;
  S3Upload(const S3Upload&) = delete;
  S3Upload& operator=(const S3Upload&) = delete;

  Status append(std::string_view bytes) override;
  Status finish() override;

 private:
  std::size_t part_size() const;
  Status begin();
  Status send_part();
  Status await_part();
  Status complete();
  void abort();
  S3Call call(std::string_view activity, std::string method) const;

  S3Connection& connection_;
  const S3Target target_;
  const std::string write_id_;
  std::string upload_id_;  // empty: nothing was sent yet, or all is done
  std::string collected_;
  std::string travelling_;  // the part on its way
  std::future<Result<std::string>> answer_;
  std::vector<std::string> etags_;
};

}  // namespace lakemill::storage
