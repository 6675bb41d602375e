import Foundation
import Pipeline
import Locks

/// Runs `body` for every rank of a fabric, each on a thread of its own, and returns the errors by rank. A rank that
/// throws cancels the fabric.
func runRanks(
    _ fabric: InMemoryFabric, _ body: @escaping @Sendable (InMemoryEndpoint) throws -> Void
) -> [(any Error)?] {
    let errors = Lock([(any Error)?](repeating: nil, count: fabric.size))
    let group = DispatchGroup()
    for rank in 0..<fabric.size {
        group.enter()
        Thread.detachNewThread {
            let endpoint = fabric.endpoint(rank)
            endpoint.patience = 20
            do {
                try body(endpoint)
            } catch {
                fabric.cancel(error, by: rank)
                errors.withLock { $0[rank] = error }
            }
            group.leave()
        }
    }
    group.wait()
    return errors.withLock { $0 }
}

/// As above, for ranks that should all succeed: the first error is thrown.
func runRanks(size: Int, _ body: @escaping @Sendable (InMemoryEndpoint) throws -> Void) throws {
    for case let error? in runRanks(InMemoryFabric(size: size, oversubscribed: true), body) { throw error }
}

/// Memory of `count` floats for one message.
struct Message: ~Copyable {
    let floats: UnsafeMutableBufferPointer<Float>

    init(_ count: Int, _ value: (Int) -> Float = { _ in 0 }) {
        floats = .allocate(capacity: count)
        for index in 0..<count { floats.initializeElement(at: index, to: value(index)) }
    }

    deinit { floats.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(floats) }
    var memory: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(floats) }

    func holds(_ value: (Int) -> Float) -> Bool { floats.indices.allSatisfy { floats[$0] == value($0) } }
}
