"""The file formats that GDAL may recognise in our processes: few, and none that opens another file or an address.

GDAL looks at the content of a file, not at its name: a text called `outlines.geojson` may be a virtual dataset that
reads any file or address. GDAL can only be told what to leave out, so everything else is listed: all drivers of the
wheels of rasterio and pyogrio and of Debian's library.
"""

from __future__ import annotations

KEPT = frozenset(
    {"GTiff", "COG", "MEM", "Memory", "GPKG", "GeoJSON", "GeoJSONSeq", "ESRI Shapefile", "FlatGeobuf"}
)
_LEFT_OUT = """
AAIGrid, ACE2, ADBC, ADRG, AIG, AirSAR, AIVector, AmigoCloud, ARG, AVCBin, AVCE00, BAG, BIGGIF, BLX, BMP, BSB, BT,
BYN, CAD, CALS, Carto, CEOS, COASP, COSAR, CPG, CSV, CSW, CTable2, CTG, DAAS, DERIVED, DGN, DIMAP, DIPEx, DOQ1,
DOQ2, DTED, DXF, ECRGTOC, EDIGEO, EEDA, EEDAI, EHdr, EIR, ELAS, Elasticsearch, ENVI, ERS, ESAT, ESRIC, ESRIJSON,
FAST, FIT, FITS, GDALG, GenBin, Geoconcept, GeoRSS, GFF, GIF, GML, GMLAS, GNMDatabase, GNMFile, GPSBabel, GPX,
GRASSASCIIGrid, GRIB, GS7BG, GSAG, GSBG, GSC, GTFS, GTI, GTX, GXF, HDF4, HDF4Image, HDF5, HDF5Image, HEIF, HF2, HFA,
HTTP, Idrisi, ILWIS, Interlis 1, Interlis 2, IRIS, ISCE, ISG, ISIS2, ISIS3, JAXAPALSAR, JDEM, JML, JP2OpenJPEG,
JPEG, JSONFG, KML, KMLSUPEROVERLAY, KRO, L1B, LAN, LCP, Leveller, LIBKML, LOSLAS, LVBAG, MAP, MapInfo File, MapML,
MBTiles, MFF, MFF2, MiraMonVector, MRF, MSGN, MSSQLSpatial, MVT, MySQL, NAS, NDF, netCDF, NGSGEOID, NGW, NITF,
NOAA_B, NSIDCbin, NTv2, NWT_GRC, NWT_GRD, OAPIF, ODBC, ODS, OGCAPI, OGR_GMT, OGR_OGDI, OGR_PDS, OGR_SDTS, OGR_VRT,
OpenFileGDB, OSM, OZI, PAux, PCIDSK, PCRaster, PDF, PDS, PDS4, PGDUMP, PGeo, PLMOSAIC, PLSCENES, PMTiles, PNG, PNM,
PostGISRaster, PostgreSQL, PRF, R, Rasterlite, RIK, RMF, ROI_PAC, RPFTOC, RRASTER, RS2, RST, S102, S104, S111, S57,
SAFE, SAGA, SAR_CEOS, SDTS, Selafin, SENTINEL2, SGI, SIGDEM, SNAP_TIFF, SNODAS, SOSI, SQLite, SRP, SRTMHGT, STACIT,
STACTA, SVG, SXF, Terragen, TGA, TIGER, TIL, TopoJSON, TSX, UK .NTF, USGSDEM, VDV, VFK, VICAR, VRT, WAsP, WCS, WEBP,
WFS, WMS, WMTS, XLS, XLSX, XPM, XYZ, Zarr, ZMap
"""


def skipped() -> str:
    """The value of GDAL_SKIP."""
    return ",".join(name.strip() for name in _LEFT_OUT.replace("\n", " ").split(","))
