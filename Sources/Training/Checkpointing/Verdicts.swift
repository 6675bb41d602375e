import Checkpoints
import Locks

/// What the ranks here found in a checkpoint.
final class Verdicts: Sendable {
    private let results = Lock<[Int: Result<Manifest, any Error>]>([:])

    func add(_ rank: Int, _ result: Result<Manifest, any Error>) { results.withLock { $0[rank] = result } }

    func isGood(_ rank: Int) -> Bool {
        results.withLock {
            if case .success? = $0[rank] { true } else { false }
        }
    }

    var errors: [any Error] {
        results.withLock {
            $0.sorted { $0.key < $1.key }.compactMap {
                if case .failure(let error) = $0.value { error } else { nil }
            }
        }
    }

    var manifest: Manifest? {
        results.withLock { try? $0.values.first?.get() }
    }
}
