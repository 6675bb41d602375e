/// One rank's end of a transport. Every call comes from the rank's own thread.
package protocol Endpoint: AnyObject {
    var rank: Int { get }
    var size: Int { get }
    func startReceive(into: UnsafeMutableRawBufferPointer, from: Int, tag: Int) throws -> TransferID
    func startSend(_ bytes: UnsafeRawBufferPointer, to: Int, tag: Int) throws -> TransferID
    func isComplete(_ id: TransferID) throws -> Bool
    func wait(_ id: TransferID, for what: @autoclosure () -> String) throws
    func progress() throws
    func allGather(_ values: [Double]) throws -> [[Double]]
    func broadcast(_ bytes: [UInt8], from root: Int) throws -> [UInt8]
    func barrier() throws
}
package struct TransferID: Hashable, Sendable { let index: Int; package init(index: Int) { self.index = index } }
