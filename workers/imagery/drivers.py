"""What GDAL may open and do in this process; imported by every file here that uses rasterio."""

from __future__ import annotations

import os

# Switched off: everything GDAL knows except GTiff, COG, GPKG, GeoJSON, GeoJSONSeq, FlatGeobuf, ESRI Shapefile and MEM,
# and PNG and WEBP, which only draw map tiles. Several of the others follow references to other files and addresses
# (VRT, WMS, STACIT, ...), whatever a file is called. A tilde stands for a blank within a name.
SKIPPED = (
    "AAIGrid ACE2 ADRG AIG AVCBin AVCE00 AirSAR Arrow BAG BIGGIF BLX BMP BSB BT BYN CAD CALS CEOS COASP COSAR CPG "
    "CSV CSW CTG CTable2 Carto DAAS DERIVED DGN DIMAP DIPEx DOQ1 DOQ2 DTED DXF ECRGTOC EDIGEO EEDA EEDAI EHdr EIR "
    "ELAS ENVI ERS ESAT ESRIC ESRIJSON Elasticsearch FAST FIT GFF GIF GML GMLAS GNMDatabase GNMFile GPSBabel GPX "
    "GRASSASCIIGrid GRIB GS7BG GSAG GSBG GSC GTI GTX GXF GenBin GeoRSS HDF5 HDF5Image HF2 HFA HTTP IDA ILWIS IRIS "
    "ISCE ISG ISIS2 ISIS3 Interlis~1 Interlis~2 JAXAPALSAR JDEM JML JP2OpenJPEG JPEG JSONFG KML KMLSUPEROVERLAY "
    "KRO L1B LAN LCP LIBKML LOSLAS LVBAG Leveller MAP MBTiles MFF MFF2 MRF MSGN MVT MapML NAS NDF NGSGEOID NGW "
    "NITF NOAA_B NSIDCbin NTv2 NWT_GRC NWT_GRD OAPIF ODS OGCAPI OGR_GMT OGR_PDS OGR_VRT OSM OZI OpenFileGDB PAux "
    "PCIDSK PCRaster PDF PDS PDS4 PGDUMP PLMOSAIC PLSCENES PMTiles PNM PRF Parquet R RIK RMF ROI_PAC RPFTOC "
    "RRASTER RS2 RST Rasterlite S102 S104 S111 S57 SAFE SAGA SAR_CEOS SDTS SENTINEL2 SGI SIGDEM SNAP_TIFF SNODAS "
    "SQLite SRP SRTMHGT STACIT STACTA SXF Selafin TGA TIL TSX Terragen TopoJSON USGSDEM VDV VFK VICAR VRT WAsP "
    "WCS WFS WMS WMTS XLS XLSX XODR XPM XYZ ZMap Zarr netCDF"
)
OPTIONS = {
    "GDAL_SKIP": ",".join(name.replace("~", " ") for name in SKIPPED.split()),
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_CACHEMAX": "256",
    "GDAL_PAM_ENABLED": "NO",
    "PROJ_NETWORK": "OFF",
}


def gdal_environment() -> dict[str, str]:
    """Put the options into the process environment where the operator has not set them; returns those in force.

    Drivers that are skipped already stay skipped beside ours. GDAL reads that list once, when rasterio opens its
    first file or environment, not at its import.
    """
    set_before = os.environ.get("GDAL_SKIP", "")
    skipped = {name for name in (set_before.split(",") if "," in set_before else set_before.split()) if name}
    os.environ["GDAL_SKIP"] = ",".join(sorted(skipped | set(OPTIONS["GDAL_SKIP"].split(","))))
    return {name: os.environ.setdefault(name, value) for name, value in OPTIONS.items()}


gdal_environment()
