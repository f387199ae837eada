#include "lakemill/base/path_pattern.h"

#include <array>

#include <gtest/gtest.h>

namespace lakemill {
namespace {

struct Case {
  const char* path;
  const char* pattern;
  bool fits;
};

TEST(PathPattern, FitsAsInAShell) {
  constexpr std::array kCases = {
      Case{"/a/b.csv", "/a/*.csv", true},
      Case{"/a/x/b.csv", "/a/*.csv", false},
      Case{"/a/x/b.csv", "/a/**/*.csv", true},
      Case{"/a/b.csv", "/a/**/*.csv", true},
      Case{"/a/b1.csv", "/a/b[0-9].csv", true},
      Case{"/a/bx.csv", "/a/b[!0-9].csv", true},
      Case{"/a/b1.csv", "/a/b[!0-9].csv", false},
      Case{"/a/b.json", "/a/b.{csv,json}", true},
      Case{"/a/b.tsv", "/a/b.{csv,json}", false},
      Case{"/a/b", "/a/?", true},
      Case{"/a//", "/a/?", false},
      Case{"/a/b.csv", "/a/b.csv.gz", false},
      Case{"", "*", true},
      Case{"/a/ä.csv", "/a/?.csv", true},
      Case{"/a/ä.csv", "/a/??.csv", false},
      Case{"/a/ä.csv", "/a/[ö-ä].csv", false},
      Case{"/a/ä.csv", "/a/[a-zà-ü].csv", true},
      Case{"/a/ä.csv", "/a/[!ö].csv", true},
      Case{"/a/日本.csv", "/a/日?.csv", true},
      Case{"/a/xä.csv", "/a/*[ä].csv", true},
      Case{"/a/-.csv", "/a/[a-].csv", true},
  };
  for (const Case& test : kCases) {
    EXPECT_EQ(fits_pattern(test.path, test.pattern), test.fits)
        << test.path << " ~ " << test.pattern;
  }
}

}  // namespace
}  // namespace lakemill
