import Hardware

/// One rank's connection to the others. It belongs to the rank's thread: every call comes from there.
///
/// Messages between two ranks with the same tag arrive in the order in which they were sent, and are matched with
/// receives in the order in which those were started. Nothing may depend on buffering: a send may wait until its
/// receive has started.
package protocol Endpoint: AnyObject {
    var rank: Int { get }
    var size: Int { get }
    /// Tags run from 0 to this one.
    var largestTag: Int { get }
    /// Seconds a wait may last before it throws: longer than any healthy step, short enough to notice a hang.
    var patience: Double { get set }
    /// Beats while a wait lasts.
    var heartbeat: Heartbeat? { get set }
    /// Called over and over while a wait lasts, so that other work in flight, such as a gradient sync, moves on. It
    /// must not wait itself.
    var onWait: (() throws -> Void)? { get set }
    /// What this rank is doing when it doesn't wait ("computes F of sequence 1, slice 0"), told to a peer that waits
    /// for it in vain.
    var activity: (() -> String)? { get set }

    /// Makes room for so many transfers under way at the same time; more may be.
    func reserve(transfers: Int)

    /// The message must be exactly as long as `memory`, which stays untouched until the transfer is complete.
    func startReceive(into memory: UnsafeMutableRawBufferPointer, from source: Int, tag: Int) throws -> TransferID
    /// `bytes` stay unchanged until the transfer is complete.
    func startSend(_ bytes: UnsafeRawBufferPointer, to destination: Int, tag: Int) throws -> TransferID

    /// Whether the transfer is complete. True ends it: an ID is good for one `true` or one `wait`.
    func isComplete(_ id: TransferID) throws -> Bool
    /// Returns when the transfer is complete, and ends it. `what` names it in the error of a wait without end.
    func wait(_ id: TransferID, for what: @autoclosure () -> String) throws
    /// Returns when `isReady`, which may call anything of this endpoint that doesn't wait, holds.
    func wait(for what: @autoclosure () -> String, until isReady: () throws -> Bool) throws

    /// Moves messages on. Cheap enough to be called after every kernel.
    func progress() throws

    /// The values of all ranks, by rank. All ranks must call it; so too below.
    func allGather(_ values: [Double]) throws -> [[Double]]
    /// The same into memory of the caller: `all` [ranks, values]. Every rank brings equally many.
    func allGather(_ values: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>) throws
    /// The root's bytes; the others' argument is ignored.
    func broadcast(_ bytes: [UInt8], from root: Int) throws -> [UInt8]
    /// Returns when every rank has come here.
    func barrier() throws
}

/// A transfer under way at one endpoint.
package struct TransferID: Hashable, Sendable {
    /// Its place in the endpoint's table.
    let slot: Int
    /// How often that place was used before, to tell a stale ID.
    let use: Int
}

extension Endpoint {
    /// Refuses a run whose messages need larger tags than the transport has. To be called once, before the first step.
    package func requireTags(upTo largest: Int) throws {
        guard largest <= largestTag else {
            throw TransportError.tooFewTags(needed: largest, available: largestTag)
        }
    }

    func checkPeer(_ peer: Int, tag: Int) {
        precondition(0..<size ~= peer, "rank \(rank): there is no rank \(peer) among \(size)")
        precondition(0...largestTag ~= tag, "rank \(rank): tag \(tag) is not in 0...\(largestTag)")
    }
}
