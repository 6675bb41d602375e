import CSIMD
import KernelInterface

// The tiles and the packing are written in C (csimd_tile.h, csimd_pack.h); here they become this level's. Named
// functions, because closures of a public value would be weak symbols.

var matrixTile: MatrixTile {
    MatrixTile(
        rows: cs_tile_rows(), columns: cs_tile_columns(), step: 1, multiply: multiplyTile,
        multiplyUnpacked: multiplyUnpackedTile, packRows: packRows, packColumns: packColumns)
}

func multiplyTile(_ words: Int, _ a: P, _ b: P, _ c: TileCells, _ alpha: Float, _ adds: Bool) {
    cs_tile_f32(words, a, b, c.base, c.stride, c.rows, c.columns, alpha, adds)
}

func multiplyUnpackedTile(_ k: Int, _ a: P, _ row: Int, _ step: Int, _ b: P, _ c: TileCells, _ adds: Bool) {
    cs_tile_unpacked_f32(k, a, row, step, b, c.base, c.stride, c.rows, c.columns, adds)
}

func packRows(_ to: MP, _ x: P, _ ld: Int, _ count: Int, _ k: Int, _ width: Int) {
    cs_pack_rows_f32(to, x, ld, count, k, width)
}

func packColumns(_ to: MP, _ x: P, _ ld: Int, _ count: Int, _ k: Int, _ width: Int) {
    cs_pack_columns_f32(to, x, ld, count, k, width)
}

#if BFLOAT16 && arch(x86_64)
    var bfloat16Tile: MatrixTile? {
        MatrixTile(
            rows: cs_tile_rows(), columns: cs_tile_columns(), step: 2, multiply: multiplyBfloat16Tile,
            multiplyUnpacked: nil, packRows: packBfloat16Rows, packColumns: packBfloat16Columns)
    }

    func multiplyBfloat16Tile(_ words: Int, _ a: P, _ b: P, _ c: TileCells, _ alpha: Float, _ adds: Bool) {
        cs_tile_bf16(words, a, b, c.base, c.stride, c.rows, c.columns, alpha, adds)
    }

    func packBfloat16Rows(_ to: MP, _ x: P, _ ld: Int, _ count: Int, _ k: Int, _ width: Int) {
        cs_pack_rows_bf16(to, x, ld, count, k, width)
    }

    func packBfloat16Columns(_ to: MP, _ x: P, _ ld: Int, _ count: Int, _ k: Int, _ width: Int) {
        cs_pack_columns_bf16(to, x, ld, count, k, width)
    }
#else
    var bfloat16Tile: MatrixTile? { nil }
#endif
