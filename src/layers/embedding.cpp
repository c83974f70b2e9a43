#include <dlarray/layers/embedding.hpp>

#include "layers/learnable.hpp"
#include "layers/registry.hpp"

#include <dlarray/nn/embedding.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

struct Kind {
  const char *type, *function, *stem, *count;
  Index more;  // columns beside those of the tokens
};
constexpr Kind wordKind{"WordEmbeddingLayer", "wordEmbeddingLayer", "wordembedding", "numWords", 1};
constexpr Kind plainKind{"EmbeddingLayer", "embeddingLayer", "embedding", "numTokens", 0};

struct TokenEmbeddingLayer final : Layer {
  const Kind* kind;
  Index dimension = 1, count = 1;
  LearnableOptions weights{.initializer = "narrow-normal"};

  explicit TokenEmbeddingLayer(const Kind& k) : kind(&k) {}
  std::string type() const override { return kind->type; }
  std::string stem() const override { return kind->stem; }
  void check(const Shape& data) const {
    if (const Index channels = sizeAlong(data, Format::C); channels != 1)
      fail(noPlace, "layer:channels",
           "{}: the input has {} channels; tokens take their place, so C is left out or has size 1: {}", called(*this), channels,
           toString(data));
  }
  void initialize(Parameters& p, const std::vector<DataLayout>& layouts) const override {
    check(shapesOf(*this, layouts)[0]);
    weights.declare(*this, p, "Weights", {dimension, count + kind->more}, {count + kind->more, dimension});
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters& p) const override {
    checkInputs(*this, X.size(), 1);
    check(Storage::shape(X[0]));
    return {inside(*this, [&] { return embed(X[0], p["Weights"]); })};
  }
  void options(OptionVisitor& visit) override {
    visit("dimension", dimension);
    visit(kind->count, count);
    weights.show(visit, "weights", "weight");
  }
};

AnyLayer tokenEmbedding(const Kind& kind, Index dimension, Index count, const EmbeddingLayerOptions& o,
                        const std::source_location& where) {
  checkNumber(dimension, 1, kind.function, "dimension", where);
  checkNumber(count, 1, kind.function, "number of tokens", where);
  TokenEmbeddingLayer layer(kind);
  layer.name = o.name;
  layer.dimension = dimension;
  layer.count = count;
  layer.weights = {o.weightsInitializer, o.weights, o.weightLearnRateFactor, o.weightL2Factor};
  layer.weights.check(kind.function, where);
  return layer;
}

}  // namespace

AnyLayer wordEmbeddingLayer(Index dimension, Index numWords, const EmbeddingLayerOptions& options, std::source_location where) {
  return tokenEmbedding(wordKind, dimension, numWords, options, where);
}
AnyLayer embeddingLayer(Index dimension, Index numTokens, const EmbeddingLayerOptions& options, std::source_location where) {
  return tokenEmbedding(plainKind, dimension, numTokens, options, where);
}

namespace layers {

std::vector<AnyLayer> embeddingPrototypes() { return {TokenEmbeddingLayer(wordKind), TokenEmbeddingLayer(plainKind)}; }

}  // namespace layers

}  // namespace dl
