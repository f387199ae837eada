#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lakemill/storage/object_store.h"
#include "lakemill/storage/s3_connection.h"

namespace lakemill::storage {

/// How a bucket is reached; asked once for each, when it is first opened.
using S3OptionsOf = std::function<Result<S3Options>(const std::string& bucket)>;

/// Stores in buckets: "s3://bucket/prefix" (also "s3a://…"), Amazon's and others'.
///
/// put_if_absent is a PUT with If-None-Match: *. A store that does not honour it would
/// let two writers win one commit: each bucket is tried out once, before its first such
/// write, with an object that is removed again; where it fails, put_if_absent answers
/// unsupported.
///
/// Errors of open: invalid (no bucket, or no name that one can have), and those of
/// `options_of`. Stores stay usable after their provider is gone, as long as
/// `services`.
std::unique_ptr<StoreProvider> make_s3_provider(S3OptionsOf options_of,
                                                S3Services services);

}  // namespace lakemill::storage
