//! What is wrong with a map file, in both languages.

use schema::area::Level;
use schema::catalogue::Text;
use sync_core::area::AreaError;

use super::{Fault, FeatureFault};

impl Fault {
    /// In words, with where and what to do.
    pub fn in_words(&self) -> Text {
        let zh = match self {
            Self::NotJson(why) => format!("文件不是 JSON（{why}），请重新导出为 GeoJSON"),
            Self::NotACollection { found } => {
                format!("文件是 {found}，不是 FeatureCollection：请把所有区域导出到一个 GeoJSON 文件")
            }
            Self::OtherCoordinates(name) => format!("坐标系为 {name}：请以 WGS-84（EPSG:4326）的度数导出"),
            Self::NoVersion => "“features”旁边没有 1 至 40 个字符的“version”：请增加，每次导入都用新的".to_owned(),
            Self::Feature { number, code, what } => {
                let code = code.as_ref().map(|code| format!("（编码 {code}）")).unwrap_or_default();
                format!("第 {number} 个要素{code}：{}", of_feature(what))
            }
            Self::Tree(error) => of_tree(error),
        };
        Text { zh, en: self.to_string() }
    }
}

fn of_feature(what: &FeatureFault) -> String {
    match what {
        FeatureFault::NotAFeature(why) => format!("不是 GeoJSON 要素（{why}）"),
        FeatureFault::NoProperty(name) => format!("属性“{name}”缺失或为空，请填写"),
        FeatureFault::NotAnId { property, found } => format!("属性“{property}”为“{found}”，应为小写带连字符的 UUID"),
        FeatureFault::UnknownLevel(found) => format!("层级为“{found}”，应为 区、街道、社区 或 网格"),
        FeatureFault::NotAPolygon(found) => format!("图形是 {found}，区域应画成 Polygon 或 MultiPolygon"),
        FeatureFault::PointTooShort(count) => format!("有一个点只有 {count} 个数，应有经度和纬度"),
        FeatureFault::OutOfRange { lon, lat, swapped } => {
            let hint = if *swapped { "；此处填反了，请在导出时对调" } else { "，单位为度" };
            format!("点 [{lon}, {lat}] 不在地球上：次序应为经度、纬度{hint}")
        }
        FeatureFault::NotClosed { polygon, ring } => {
            format!("第 {polygon} 个多边形的第 {ring} 个环没有闭合：最后一点须与第一点相同")
        }
    }
}

fn of_tree(error: &AreaError) -> String {
    match error {
        AreaError::NoAreas => "文件中没有区域：请先加入区，再加入其中的区域".to_owned(),
        AreaError::SeveralRoots { code, root } => format!("区域 {code} 没有上级，而 {root} 已是最上级：请填写上级"),
        AreaError::RootNotDistrict { code, level } => format!("最上级 {code} 是{}：第一个区域应为区", level_zh(*level)),
        AreaError::UnknownParent { code, parent } => format!("区域 {code} 的上级 {parent} 不在文件中：请加入或改正"),
        AreaError::ChildBeforeParent { code, parent } => format!("区域 {code} 排在上级 {parent} 之前，或以自己为上级"),
        AreaError::GridWithChildren { code, grid } => format!("区域 {code} 的上级 {grid} 是网格：网格之下不能再有区域"),
        AreaError::LevelNotBelow { code, level, parent, parent_level } => {
            let (level, parent_level) = (level_zh(*level), level_zh(*parent_level));
            format!("区域 {code}（{level}）在 {parent}（{parent_level}）之内：层级必须低于上级")
        }
        AreaError::DuplicateId { code, first, id } => {
            format!("区域 {first} 与 {code} 的 id 相同（{id}）：请改其中一个")
        }
        AreaError::DuplicateCode { code } => format!("编码 {code} 用了两次：每个区域须有自己的编码"),
        AreaError::NoCode { id } => format!("区域 {id} 没有编码：请填写本市的编码"),
        AreaError::NoBoundary { code } => format!("网格 {code} 没有边界：至少画一个多边形"),
        AreaError::RingTooShort { code, points } => format!("区域 {code} 有一个环只有 {points} 个点：至少要 3 个"),
        AreaError::OutOfRange { code, .. } => {
            format!("区域 {code} 有一个点不在地球上：先经度（-180 至 180），后纬度（-90 至 90）")
        }
    }
}

fn level_zh(level: Level) -> &'static str {
    match level {
        Level::District => "区",
        Level::Subdistrict => "街道",
        Level::Community => "社区",
        Level::Grid => "网格",
    }
}
