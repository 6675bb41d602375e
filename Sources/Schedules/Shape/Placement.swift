/// The usual ways to lay stages on ranks.
package enum Placement {
    /// Stage s on rank s mod P: with one stage a rank the plain pipeline, with more the interleaved one.
    package static func cyclic(ranks: Int, virtualStages: Int) -> [Int] {
        (0..<ranks * virtualStages).map { $0 % ranks }
    }

    /// Two stages a rank, down the ranks and up again, so that the last stage lives beside the first.
    package static func vee(ranks: Int) -> [Int] {
        Array(0..<ranks) + (0..<ranks).reversed()
    }
}
