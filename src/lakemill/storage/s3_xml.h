#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"

namespace lakemill::storage {

/// One element of an answer of S3: attributes, comments and namespaces are left out.
struct XmlElement {
  std::string name;
  std::string text;  ///< its own, of all pieces
  std::vector<XmlElement> children;

  /// The first child of that name; nullptr if there is none.
  const XmlElement* find(std::string_view child) const;
  /// The text of that child; "" if there is none.
  std::string child_text(std::string_view child) const;
};

/// Reads a document of elements and text, as S3 answers; entities are decoded, a
/// document type is refused. Errors: corrupt, with the byte where reading stopped.
Result<XmlElement> parse_xml(std::string_view text);

/// Text for an element: '&', '<', '>' and '"' escaped.
std::string escape_xml(std::string_view text);

}  // namespace lakemill::storage
