import MPI

/// What is wrong with how a value travels between ranks; empty when all is well. It must come out as it went in, be
/// refused when it is cut off anywhere or has more behind it, and with any bit flipped be refused or be another value,
/// which ends no program.
package func faultsOnTheWay<Value: WireValue & Equatable>(_ value: Value) throws -> [String] {
    var faults: [String] = []
    let bytes = value.wireBytes
    if try Value(wireBytes: bytes, from: "rank 3") != value { faults.append("it comes out as another value") }
    func mustFail(_ bytes: [UInt8], _ what: String) {
        do {
            _ = try Value(wireBytes: bytes, from: "rank 3")
            faults.append("\(what): nothing is said")
        } catch {
            let isClear = "\(error)".contains("from rank 3 is no \(Value.self): expected ")
            if !isClear { faults.append("\(what): \(error)") }
        }
    }
    for count in bytes.indices { mustFail(Array(bytes[..<count]), "cut to \(count) bytes") }
    mustFail(bytes + [0], "one byte more")
    for index in bytes.indices {
        for bit in 0..<8 {
            var flipped = bytes
            flipped[index] ^= 1 << bit
            _ = try? Value(wireBytes: flipped, from: "rank 3")
        }
    }
    return faults
}
