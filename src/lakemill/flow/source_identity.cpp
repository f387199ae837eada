#include "lakemill/flow/source_identity.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace lakemill::flow {

namespace {

std::string kind_of(const std::string& reads) {
  return reads.substr(0, reads.find(':'));
}

std::string at_place(const Result<Place>& place) {
  if (!place) return "";
  return (place->is_delta ? "table:" : "files:") + place->url;
}

// Gives sources, in turn, the identifiers of known ones that nobody has.
class Claims {
 public:
  using Fits = std::function<bool(const SourceIdentity&, const SourceSlice&)>;

  Claims(const std::vector<SourceIdentity>& sources,
         const std::vector<SourceSlice>& known, const std::vector<SourceSlice>& former)
      : sources_(sources),
        known_(known),
        former_(former),
        ids_(sources.size()),
        taken_(known.size()) {}

  void claim(const Fits& fits) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      for (std::size_t k = 0; k < known_.size() && !ids_[i]; ++k) {
        if (taken_[k] || !fits(sources_[i], known_[k])) continue;
        taken_[k] = true;
        ids_[i] = known_[k].source;
      }
    }
  }

  void claim_former(const Fits& fits) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      for (const SourceSlice& slice : former_) {
        if (ids_[i] || is_taken(slice.source) || !fits(sources_[i], slice)) continue;
        ids_[i] = slice.source;
      }
    }
  }

  // The others are new: by their own names, unless another has that.
  std::vector<std::string> rest() {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      std::string id = ids_[i].value_or(sources_[i].id);
      while (!ids_[i] && (is_taken(id) || is_former(id))) id += "'";
      ids_[i] = id;
      ids.push_back(std::move(id));
    }
    return ids;
  }

 private:
  bool is_taken(const std::string& id) const {
    return std::any_of(ids_.begin(), ids_.end(),
                       [&](const auto& other) { return other == id; });
  }

  bool is_former(const std::string& id) const {
    return std::any_of(former_.begin(), former_.end(),
                       [&](const auto& slice) { return slice.source == id; });
  }

  const std::vector<SourceIdentity>& sources_;
  const std::vector<SourceSlice>& known_;
  const std::vector<SourceSlice>& former_;
  std::vector<std::optional<std::string>> ids_;
  std::vector<bool> taken_;
};

}  // namespace

std::string name_of_source(const language::Source& source, std::size_t index) {
  if (source.kind == language::SourceKind::postgres) {
    return source.table.schema + "." + source.table.table;
  }
  return source.name.empty() ? std::to_string(index) : source.name;
}

std::string what_is_read(const Workspace& workspace, const language::Node& node,
                         const language::Source& source) {
  switch (source.kind) {
    case language::SourceKind::dataframe:
      return "rows:";
    case language::SourceKind::postgres:
      return "postgres:" + source.postgres.connection + "/" + name_of_source(source, 0);
    case language::SourceKind::pipeline_node: {
      const language::Node* upstream = workspace.pipeline.find_node(source.node_name);
      return upstream == nullptr ? "" : what_is_read(workspace, *upstream);
    }
    case language::SourceKind::file:
    case language::SourceKind::table:
      break;
  }
  return at_place(place_of(workspace, node, source));
}

std::string what_is_read(const Workspace& workspace, const language::Node& upstream) {
  const language::Sink* sink = upstream.primary_sink();
  return sink == nullptr ? "" : at_place(place_of(workspace, upstream, *sink));
}

std::vector<std::string> known_ids(const std::vector<SourceIdentity>& sources,
                                   const std::vector<SourceSlice>& known,
                                   const std::vector<SourceSlice>& former) {
  const Claims::Fits is_same = [](const auto& source, const auto& slice) {
    return source.id == slice.source &&
           (slice.reads.empty() || slice.reads == source.reads);
  };
  const Claims::Fits reads_same = [](const auto& source, const auto& slice) {
    return !slice.reads.empty() && slice.reads == source.reads;
  };
  Claims claims(sources, known, former);
  for (const Claims::Fits& fits : {is_same, reads_same}) claims.claim(fits);
  for (const Claims::Fits& fits : {is_same, reads_same}) claims.claim_former(fits);
  claims.claim([](const auto& source, const auto& slice) {  // it reads something else
    return source.id == slice.source;
  });
  claims.claim([](const auto&, const auto& slice) { return slice.incremental; });
  return claims.rest();
}

bool same_kind(const std::string& reads, const std::string& other) {
  return reads.empty() || other.empty() || kind_of(reads) == kind_of(other);
}

}  // namespace lakemill::flow
