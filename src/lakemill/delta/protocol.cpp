#include "lakemill/delta/protocol.h"

#include <algorithm>
#include <array>

#include "lakemill/base/text.h"

namespace lakemill::delta {

namespace {

constexpr int kReaderVersionMax = 3;

constexpr std::array<std::string_view, 7> kReaderFeatures = {
    "columnMapping",        "deletionVectors", "timestampNtz",       "typeWidening",
    "typeWidening-preview", "v2Checkpoint",    "vacuumProtocolCheck"};

}  // namespace

bool has_reader_feature(const Protocol& protocol, std::string_view feature) {
  if (protocol.min_reader_version < kReaderVersionMax) {
    return feature == "columnMapping" && protocol.min_reader_version == 2;
  }
  return std::find(protocol.reader_features.begin(), protocol.reader_features.end(),
                   feature) != protocol.reader_features.end();
}

Status check_readable(const Protocol& protocol) {
  if (protocol.min_reader_version < 1 ||
      protocol.min_reader_version > kReaderVersionMax) {
    return Error(ErrorCode::unsupported,
                 "the table needs Delta reader version " +
                     std::to_string(protocol.min_reader_version) +
                     "; this lakemill reads versions 1 to 3");
  }
  std::vector<std::string> missing;
  if (protocol.min_reader_version == kReaderVersionMax) {
    for (const std::string& feature : protocol.reader_features) {
      if (std::find(kReaderFeatures.begin(), kReaderFeatures.end(), feature) ==
          kReaderFeatures.end()) {
        missing.push_back(feature);
      }
    }
  }
  if (missing.empty()) return {};
  return Error(ErrorCode::unsupported,
               "the table needs Delta features that this lakemill cannot read: " +
                   join(missing, ", "));
}

}  // namespace lakemill::delta
