import Foundation
import Schedules
import Simulation
import Testing

struct CostFileTests {
    @Test("a cost file reads back to the same costs")
    func roundTrip() throws {
        var stage = StageCosts(
            forward: 0.0185, backwardInput: 0.018, backwardWeight: 0.009, backward: 0.025, recompute: 0.017)
        stage.unitBytes = 1 << 20
        stage.weightUnitBytes = 1 << 19
        stage.lightBytes = 4096
        stage.residentBytes = 1 << 30
        let file = CostFile(
            stages: [stage, stage], messageBytes: [12345], closing: [0.003, 0.004], slowness: [1, 1.5],
            link: Link(latency: 5e-5, bandwidth: 1.25e9), sharedCores: [SharedCores(ranks: [0, 1], cores: 1)])
        let back = try CostFile(json: file.json)
        #expect(back.messageBytes == file.messageBytes && back.slowness == file.slowness)
        #expect(back.sharedCores == file.sharedCores && back.stages[1].residentBytes == stage.residentBytes)
        #expect(abs(back.stages[0].forward - stage.forward) < 1e-15 && abs(back.closing[1] - 0.004) < 1e-15)
        #expect(abs((back.link?.latency ?? 0) - 5e-5) < 1e-18 && back.link?.bandwidth == 1.25e9)
    }

    @Test(
        "a wrong cost file is refused with its place and what was expected",
        arguments: [
            ("{", "not JSON"), ("[]", "expected an object"), ("{}", "'format' is missing"),
            ("{\"format\": \"x\", \"stages\": []}", "expected \"gecko-costs 1\""),
            ("{\"format\": \"gecko-costs 1\", \"stages\": []}", "at least one stage"),
            ("{\"format\": \"gecko-costs 1\", \"stages\": [{}]}", "stages[0]: 'forward' is missing"),
            ("{\"format\": \"gecko-costs 1\", \"stage\": []}", "unknown key 'stage'"),
            (
                """
                {\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": 1, \"backward\": 2, \"weight_share\": \
                1.5}]}
                """,
                "weight_share: expected a share from 0 to 1, found 1.5"
            ),
            (
                """
                {\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": -1, \"backward_input\": 1, \
                \"backward_weight\": 1}]}
                """,
                "forward: expected a time in milliseconds from 0 to 3.6e9 (a thousand hours), found -1"
            ),
            (
                """
                {\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": \"1\", \"backward_input\": 1, \
                \"backward_weight\": 1}]}
                """,
                "found \"1\""
            ),
            (
                """
                {\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": true, \"backward_input\": 1, \
                \"backward_weight\": 1}]}
                """,
                "forward: expected a time"
            ),
            (
                """
                {\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": 1, \"backward_input\": 1, \
                \"backward_weight\": 1, \"unit_bytes\": 1.5}]}
                """,
                "unit_bytes: expected a whole number"
            ),
        ])
    func malformed(text: String, expected: String) {
        let error = #expect(throws: SimulationError.self) { try CostFile(json: text) }
        #expect(error?.description.contains(expected) ?? false, "\(error?.description ?? "")")
    }

    @Test(
        """
        what a weight gradient keeps comes from bytes, from the file's share, or from the transformers of the \
        literature
        """
    )
    func weightShare() throws {
        func stage(_ members: String) throws -> StageCosts {
            let text = "{\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": 1, \"backward\": 2\(members)}]}"
            let file = try CostFile(json: text)
            #expect(try CostFile(json: file.json).stages[0].heldShare == file.stages[0].heldShare)
            return file.stages[0]
        }
        #expect(try stage("").heldShare == 0.4)
        #expect(try stage(", \"weight_share\": 0.7").heldShare == 0.7)
        #expect(try stage(", \"unit_bytes\": 50").heldShare == 1)
        #expect(try stage(", \"unit_bytes\": 50, \"weight_share\": 0.5").weightUnitBytes == 25)
        #expect(try stage(", \"unit_bytes\": 50, \"weight_unit_bytes\": 10").heldShare == 0.2)
    }

    @Test("one stage stands for all, ranks' stages are cut for several stages a rank, other counts are refused")
    func fitting() throws {
        let shape = try ScheduleShape(
            ranks: 2, sequences: 1, slices: 1, placement: Placement.cyclic(ranks: 2, virtualStages: 2))
        func stage(_ forward: Double) -> StageCosts {
            StageCosts(forward: forward, backwardInput: 1, backwardWeight: 1)
        }
        func forwards(_ count: Int) throws -> [Double] {
            try CostFile(stages: (1...count).map { stage(Double($0)) }).costs(for: shape).stages.map(\.forward)
        }
        #expect(try forwards(1) == [0.5, 0.5, 0.5, 0.5])
        #expect(try forwards(2) == [0.5, 0.5, 1, 1])
        #expect(try forwards(4) == [1, 2, 3, 4])
        #expect(throws: SimulationError.self) { try forwards(3) }
    }

    @Test(
        """
        what other readers pass over in silence, and numbers out of all bounds, are refused with line, column and \
        what stands there
        """,
        arguments: [
            (
                "\"forward\": 1, \"forward\": 100",
                "line 2, column 15: costs: not JSON: the key \"forward\" is given twice"
            ),
            ("\"forward\": 1, \"f\\u006frward\": 100", "the key \"forward\" is given twice"),
            ("\"forward\": -1", "line 2, column 12: costs: stages[0]: forward: expected a time in milliseconds from 0"),
            ("\"forward\": -1e0", "found -1e0"), ("\"forward\": 1e308", "found 1e308"),
            ("\"forward\": 1e999", "the number 1e999 is larger"), ("\"forward\": 01", "begin with 0"),
            ("\"forward\": NaN", "expected a JSON value"), ("\"forward\": \"\\ud800\"", "half of a surrogate pair"),
            ("\"forward\": " + String(repeating: "[", count: 100_000), "nested more than 64 deep"),
            ("\"forward\": 1, \"backward\": 2, \"unit_bytes\": 9e15", "unit_bytes: expected a whole number from 0 to"),
            ("\"forward\": 1, \"backward\": 2, \"weight_share\": 2", "found 2"),
            ("\"forward\": 1, \"forwards\": 2", "line 2, column 27: costs: stages[0]: unknown key 'forwards'"),
        ])
    func hostile(members: String, expected: String) {
        let text = "{\"format\": \"gecko-costs 1\", \"stages\": [{\n\(members)}]}"
        let error = #expect(throws: SimulationError.self) { try CostFile(json: text) }
        #expect(error?.description.contains(expected) ?? false, "\(error?.description ?? "")")
    }

    @Test("a rank shares cores once, and a rank's slowness has bounds")
    func wholeFile() {
        let stages = "{\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": 1, \"backward\": 1}], "
        for (rest, expected) in [
            ("\"shared_cores\": [{\"ranks\": [0, 0], \"cores\": 1}]}", "rank 0 is named twice"),
            ("\"slowness\": [0]}", "slowness[0]: expected a number from 0.001"),
            ("\"network\": {\"bandwidth\": 0}}", "network: bandwidth: expected a number from 1"),
        ] {
            let error = #expect(throws: SimulationError.self) { try CostFile(json: stages + rest) }
            #expect(error?.description.contains(expected) ?? false, "\(error?.description ?? "")")
        }
    }

    @Test("bytes whose sum over a step is no number any more are refused, and do not end the program")
    func sums() throws {
        var stage = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 1)
        stage.unitBytes = 1 << 50
        let shape = try ScheduleShape(ranks: 1, sequences: 1 << 20, slices: 1, placement: [0])
        let error = #expect(throws: SimulationError.self) { try CostFile(stages: [stage]).costs(for: shape) }
        #expect(error?.description.contains("more than can be counted") ?? false)
        let pair = try ScheduleShape(ranks: 2, sequences: 1 << 20, slices: 1, placement: [0, 1])
        stage.unitBytes = 0
        #expect(throws: SimulationError.self) {
            try CostFile(stages: [stage], messageBytes: [1 << 50]).costs(for: pair)
        }
    }

    @Test("quantities carry their units")
    func quantities() throws {
        func near(_ value: Double?, _ expected: Double) -> Bool { abs((value ?? .nan) - expected) <= 1e-12 * expected }
        #expect(near(Quantity.seconds("50us"), 5e-5) && near(Quantity.seconds(" 2ns "), 2e-9))
        #expect(near(Quantity.seconds("1s"), 1) && near(Quantity.seconds("0.5ms"), 5e-4))
        #expect(Quantity.bandwidth("1gbit") == 1.25e8 && Quantity.bandwidth("1.5GB/s") == 1.5e9)
        #expect(Quantity.bytes("4KiB") == 4096 && Quantity.bytes("1.5MB") == 1.5e6 && Quantity.bytesOrCount("7") == 7)
        // A number alone, and letters that stand for bits and for bytes.
        #expect(Quantity.seconds("2") == nil && Quantity.seconds("0") == 0 && Quantity.bytes("7") == nil)
        #expect(
            Quantity.bandwidth("1e9") == nil && Quantity.bandwidth("1Gb/s") == nil && Quantity.bandwidth("1gb/s") == nil
        )
        #expect(Quantity.bandwidth("1gbit/s") == 1.25e8 && Quantity.bytes("1 0GiB") == nil)
        #expect(Quantity.seconds("fast") == nil && Quantity.bytes("-1") == nil && Quantity.bytes("") == nil)
        let link = try Link(text: "50us,1gbit")
        #expect(near(link.latency, 5e-5) && link.bandwidth == 1.25e8)
        #expect(try Link(text: "1ms,unlimited").bandwidth == .infinity)
        for text in [
            "", "1ms", "1ms,", "x,1gbit", "1ms,0", "1,2,3", "5,1gbit", "5us,1e9", "5us,25", "1e300s,1gbit",
            "1us,1e300gbit",
        ] {
            let error = #expect(throws: SimulationError.self) { try Link(text: text) }
            #expect(error?.description.hasPrefix("expected latency,bandwidth such as 5us,25gbit") ?? false)
        }
        for link in [link, Link(latency: 1.5e-6)] { #expect(try Link(text: link.text) == link) }
        #expect(try MemoryCap(text: "12") == .units(12) && MemoryCap(text: "4KiB") == .bytes(4096))
        #expect(try MemoryCap(text: "2x") == .peaks(2) && MemoryCap(text: "1.5X") == .peaks(1.5))
        for text in ["lots", "", "0", "-3", "x", "0x", "nan", "inf"] {
            #expect(throws: SimulationError.self) { try MemoryCap(text: text) }
        }
    }

    @Test("choices by name keep a cap in units or bytes, or say what would")
    func choices() throws {
        var stage = StageCosts(forward: 1, backwardInput: 1, backwardWeight: 1)
        stage.unitBytes = 10
        stage.weightUnitBytes = 10
        stage.residentBytes = 100
        func choice(_ name: String, _ cap: String, recompute: Bool = false) throws -> ScheduleChoice {
            try ScheduleChoice(
                named: name,
                .init(
                    schedule: ScheduleRequest(ranks: 4, sequences: 4, slices: 2), costs: CostFile(stages: [stage]),
                    network: Network(), cap: MemoryCap(text: cap), recompute: recompute))
        }
        for name in ["memory-capped", "auto"] {
            for cap in ["2", "3", "140B", "120B"] {
                let simulation = try choice(name, cap).simulation
                let units = Double(cap) ?? (cap == "140B" ? 4 : 2)
                #expect(simulation.peakUnits.allSatisfy { $0 <= units })
                if cap.hasSuffix("B") { #expect(simulation.peakBytes.allSatisfy { Double($0) <= 100 + units * 10 }) }
            }
        }
        #expect(try choice("1f1b", "5").simulation.peakUnits == [5, 4, 3, 2])
        #expect(try choice("1f1b", "1x").simulation.peakUnits == [5, 4, 3, 2])
        #expect(throws: SimulationError.self) { try choice("1f1b", "4") }
        #expect(throws: SimulationError.self) { try choice("auto", "1") }
        #expect(throws: SimulationError.self) { try choice("auto", "99B") }
        #expect(try choice("auto", "5", recompute: true).simulation.table.usesRecompute)
    }
}
