import Hardware
import KernelInterface

/// Matrix products on a team's pinned workers: what an engine gives the linear maps and the working memory. Belongs to
/// the team's leader; a worker uses what is its own.
///
/// An engine is a folder beside this file; `MatrixEngine` lists them.
package protocol MatrixProducts: AnyObject {
    /// Bytes that a prepared weight [depth, columns] takes beside the weight itself, at the most.
    static func preparedBytes(depth: Int, columns: Int, _ precision: Precision) -> Int

    var team: Team { get }
    /// The format in which factors are multiplied; sums are float32.
    var precision: Precision { get }
    /// What a run may change about its layout without a bit of its parameters changing; tests hold it.
    var promises: BitPromises { get }
    /// The register tile of this CPU for code that cuts its products itself; nil where this engine is faster than what
    /// there is.
    var tile: MatrixTile? { get }

    /// The product, shared by the team. For the leader.
    func multiply(_ product: Product)

    /// The product on the calling thread, which computes worker `worker`'s share of something.
    func multiply(_ product: Product, on worker: Int)

    /// A right factor [depth, columns] in the form in which this engine multiplies by it, for many products; the factor
    /// must stay where it is and as it is while they are computed. For the leader.
    /// - Parameter used: an earlier result for a factor of this size, whose memory is used again
    func prepare(_ factor: Factor, depth: Int, columns: Int, reusing used: PreparedWeight?) -> PreparedWeight

    /// `result` [rows, columns] = left [rows, depth] times a weight that this engine has prepared, shared by the team.
    /// For the leader.
    func multiply(_ left: Factor, rows: Int, by weight: PreparedWeight, to result: Destination)
}

/// A right factor as an engine keeps it; only the engine that made it knows how.
package class PreparedWeight {
    package final let depth: Int
    package final let columns: Int

    init(depth: Int, columns: Int) {
        self.depth = depth
        self.columns = columns
    }
}
