import Model

/// How a sequence is cut into slices.
package struct SliceCut: Sendable, Equatable {
    /// First tokens, and the sequence's end.
    private let bounds: [Int]
    /// Tokens of the longest slice.
    package let longest: Int

    private init(bounds: [Int]) {
        self.bounds = bounds
        longest = zip(bounds.dropFirst(), bounds).map { $0 - $1 }.max() ?? 0
    }

    package init(slice: Int, count: Int) { self.init(bounds: (0...count).map { $0 * slice }) }

    package var count: Int { bounds.count - 1 }
    package var sequence: Int { bounds[count] }
    package var isEqual: Bool { longest * count == sequence }
    package func start(of slice: Int) -> Int { bounds[slice] }
    package func length(of slice: Int) -> Int { bounds[slice + 1] - bounds[slice] }

    /// "16 tokens", or "48 to 112 tokens".
    package var title: String {
        let least = (0..<count).map(length).min() ?? 0
        return least == longest ? "\(longest)" : "\(least) to \(longest)"
    }

    /// `count` slices that a layer takes equally long for (as TeraPipe, arXiv 2102.07988, and Seq1F1B, arXiv
    /// 2406.03488, cut sequences): the first ones are the longest, where a token's work grows with what is before it.
    ///
    /// - Parameters:
    ///   - layer: of the layers' kinds; the mean counts
    ///   - multiple: of which slices begin and end at multiples
    ///   - before: tokens before the sequence that are seen, too
    package static func balanced(
        sequence: Int, count: Int, layers: [BlockDescription], multiple: Int, before: Int = 0
    ) -> SliceCut {
        let growing = layers.reduce(0) { $0 + $1.flopsPerTokenBefore }
        let fixed = layers.reduce(0) { $0 + $1.forwardFlopsPerToken } + growing * Double(before)
        // Tiles of the kernels are whole where that costs no balance.
        let grain = multiple == 1 && sequence / count >= 4 * tile && sequence % tile == 0 ? tile : multiple
        let units = sequence / grain
        guard growing > 0, units >= count else { return SliceCut(slice: sequence / count, count: count) }
        let length = Double(sequence)
        let all = fixed * length + growing * length * length / 2
        var bounds = [0]
        for i in 1..<count {
            // Where the work of all tokens before is i / count of the whole: f x + g x^2 / 2.
            let part = all * Double(i) / Double(count)
            let x = ((fixed * fixed + 2 * growing * part).squareRoot() - fixed) / growing
            let nearest = Int((x / Double(grain)).rounded())
            bounds.append(grain * min(max(nearest, bounds[i - 1] / grain + 1), units - (count - i)))
        }
        return SliceCut(bounds: bounds + [sequence])
    }

    private static let tile = 16
}
