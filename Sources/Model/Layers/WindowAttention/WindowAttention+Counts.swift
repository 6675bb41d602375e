import Numerics

extension WindowAttention {
    /// Every product of a slice of `tokens` whose rows see `reach` keys, forward and backward: a block of query rows,
    /// or of keys, each, as an engine without tiles computes them; on CPUs with tiles they are cut finer, and what lies
    /// behind the diagonal is left out.
    package func products(tokens: Int, reach: Int) -> [ModelProduct] {
        let rows = min(Self.forwardRows, tokens)
        let (keys, taken) = (min(keysAtOnce, reach), min(Self.backwardKeys, reach))
        let block = min(backwardRows, tokens)
        let forwards = heads * max(1, tokens / rows) * max(1, reach / keys)
        let backwards = heads * max(1, tokens / block) * max(1, reach / taken)
        return [
            ModelProduct(
                name: "attention, scores", direction: .forward, rows: rows, columns: keys, depth: keyDim,
                leftIsTransposed: false, rightIsTransposed: true, count: forwards),
            ModelProduct(
                name: "attention, values", direction: .forward, rows: rows, columns: valueDim, depth: keys,
                leftIsTransposed: false, rightIsTransposed: false, count: forwards),
            ModelProduct(
                name: "attention, scores", direction: .inputGradient, rows: block, columns: taken, depth: valueDim,
                leftIsTransposed: false, rightIsTransposed: true, count: backwards),
            ModelProduct(
                name: "attention, values", direction: .inputGradient, rows: taken, columns: valueDim, depth: block,
                leftIsTransposed: true, rightIsTransposed: false, adds: true, count: backwards),
            ModelProduct(
                name: "attention, keys", direction: .inputGradient, rows: taken, columns: keyDim, depth: block,
                leftIsTransposed: true, rightIsTransposed: false, adds: true, count: backwards),
            ModelProduct(
                name: "attention, queries", direction: .inputGradient, rows: rows, columns: keyDim, depth: taken,
                leftIsTransposed: false, rightIsTransposed: false, adds: true,
                count: backwards * max(1, block / rows)),
        ]
    }
}
