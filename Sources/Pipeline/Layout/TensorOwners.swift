import Model

/// Which replica updates which tensor when the optimizer's state is shared out (ZeRO-1: Rajbhandari et al., arXiv
/// 1910.02054).
///
/// Whole tensors, so that a file never holds a part of one. A pure function of the stage's tensors: all ranks know it
/// without a word.
package enum TensorOwners {
    /// By tensor, in the stage's order: largest first, each to the replica that has least so far, the lowest among
    /// equals. No replica then has more than its equal share and one tensor.
    ///
    /// A tensor and its copy, which live on different stages, belong to replica 0: their gradients meet within one
    /// replica.
    ///
    /// - Parameter tied: the names of tensors of which there is a copy
    package static func of(_ specs: [ParameterSpec], among replicas: Int, tied: Set<String>) -> [Int] {
        var owners = [Int](repeating: 0, count: specs.count)
        var loads = [Int](repeating: 0, count: replicas)
        func isTied(_ i: Int) -> Bool { tied.contains(specs[i].copyOf ?? specs[i].name) }
        for i in specs.indices where isTied(i) { loads[0] += specs[i].count }
        let bySize = specs.indices.filter { !isTied($0) }.sorted { (specs[$1].count, $0) < (specs[$0].count, $1) }
        for i in bySize {
            let least = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
            owners[i] = least
            loads[least] += specs[i].count
        }
        return owners
    }
}
