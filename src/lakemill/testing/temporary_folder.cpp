#include "lakemill/testing/temporary_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "lakemill/base/check.h"

namespace lakemill::testkit {

TemporaryFolder::TemporaryFolder() {
  std::error_code failed;
  const auto base = std::filesystem::temp_directory_path(failed);
  LAKEMILL_CHECK(!failed);
  std::string pattern = (base / "lakemill-test-XXXXXX").string();
  LAKEMILL_CHECK(::mkdtemp(pattern.data()) != nullptr);
  path_ = std::filesystem::canonical(pattern, failed).string();
  LAKEMILL_CHECK(!failed);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // what cannot be removed stays in the temporary folder
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace lakemill::testkit
