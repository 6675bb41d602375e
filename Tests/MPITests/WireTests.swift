import Hardware
import MPI
import Pipeline
import TestSupport
import Testing

/// What ranks tell each other, as bytes.
@Suite struct WireTests {
    @Test func `values come out as they went in, and damaged ones are refused`() throws {
        #expect(try faultsOnTheWay(-7) == [])
        #expect(try faultsOnTheWay(UInt64.max) == [])
        #expect(try faultsOnTheWay(-0.1) == [])
        #expect(try faultsOnTheWay([true, false]) == [])
        #expect(try faultsOnTheWay(["", "a\u{1F}b, \"c\"", "é\u{0}"]) == [])
        #expect(try faultsOnTheWay([[1, 2], [], [3]]) == [])
        #expect(try faultsOnTheWay([String?.none, "x", ""]) == [])
        #expect(try faultsOnTheWay(CPUQuota(cores: 2.5, file: "/sys/fs/cgroup/cpu.max", group: 1 << 63)) == [])
    }

    @Test func `a row of the topology report keeps every field`() throws {
        var row = WireWriter()
        3.write(to: &row)
        "node, 1".write(to: &row)
        1.write(to: &row)
        "stage\u{1F}0".write(to: &row)
        [0, 1, 2].write(to: &row)
        2.write(to: &row)
        [0, 1].write(to: &row)
        [1].write(to: &row)
        false.write(to: &row)
        true.write(to: &row)
        "two ranks share a core".write(to: &row)
        let read = try RankRow(wireBytes: row.bytes, from: "rank 3")
        #expect(read.wireBytes == row.bytes)
        #expect(try faultsOnTheWay(read) == [])
    }

    @Test func `what is wrong is said, with its place and what to do`() {
        let error = #expect(throws: WireError.self) { try [String](wireBytes: [1, 0, 0, 0], from: "rank 3") }
        #expect(
            error?.description
                == "the message of 4 bytes from rank 3 is no Array<String>: expected a count of elements of 8 bytes at "
                + "byte 0, found 4 until the end. Do all nodes run the same build? Compare `gecko --version` on them")
        let flag = #expect(throws: WireError.self) { try Bool(wireBytes: [2], from: "rank 0") }
        #expect(flag?.description.contains("expected a flag (0 or 1) at byte 0, found 2") == true, "\(flag as Any)")
        // A count that asks for more than there is takes no memory first.
        let huge = [UInt8](repeating: 0xff, count: 7) + [0x7f]
        #expect(throws: WireError.self) { try [Double](wireBytes: huge + [0], from: "rank 0") }
        #expect(throws: WireError.self) { try String(wireBytes: [1, 0, 0, 0, 0, 0, 0, 0, 0xff], from: "rank 0") }
    }
}
